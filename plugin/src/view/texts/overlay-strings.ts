// What lies above the pages: diagnostics, questions, about.

export const overlayTexts = {
  overlay: {
    close: 'Close',
    cancel: 'Cancel',
    diagnostics: 'Diagnostics',
    copyDiagnostics: 'Copy the list',
    checking: 'Asking the background app to examine itself...',
    statuses: { ok: 'ok', problem: 'problem', unknown: 'unknown' },
    about: 'About',
    aboutText:
      'Text-driven video editing that stays coherent from frame to frame, on your own machine. Open source under Apache-2.0.',
    panelVersion: (version: string) => `Panel ${version}`,
    serverVersion: (version: string) => `Background app ${version}`,
    forgetTitle: 'Delete this version?',
    forgetText: 'Its file is deleted, here and in the background app. This cannot be undone.',
    forgetConfirm: 'Delete',
    unpairTitle: 'Pair again?',
    unpairText: 'The panel forgets its pairing and asks for a new code.',
    unpairConfirm: 'Pair again',
    menu: 'Help',
  },
};

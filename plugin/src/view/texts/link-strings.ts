// The way to the background app.

import { isInstalledProgram, typedCommand } from './typed-command.ts';

export const linkTexts = {
  link: {
    connecting: 'Looking for TokenFlow (the background app)...',
    unreachableTitle: 'TokenFlow (the background app) is not running',
    unreachableText: 'It does the computing, on this machine. The panel connects by itself as soon as it runs.',
    start: 'Start TokenFlow',
    starting: 'Starting...',
    startFailed:
      'It did not start. If it is installed, start it from the folder that you unpacked: a double-click on TokenFlow.',
    experts: 'For experts',
    startCommandText: isInstalledProgram ? 'From a terminal:' : 'From a terminal, in a copy of the source code:',
    startCommand: typedCommand('start'),
    retry: 'Try now',
    copy: 'Copy',
    unpairedTitle: 'Pair with TokenFlow (the background app)',
    unpairedText: 'Type the code that the background app shows. You do this once.',
    unpairedInPremiere:
      'The panel usually pairs by itself with the background app of this machine. It cannot when the app runs as another user or keeps its files in another folder. Type the code that the app shows. You do this once.',
    codeLabel: 'Pairing code',
    codePlaceholder: 'ABCD-2345',
    pair: 'Pair',
    pairing: 'Pairing...',
    codeHelp: 'No code any more? It lasts ten minutes. From a terminal, this makes a new one:',
    pairCommand: typedCommand('pair'),
    mismatchTitle: 'The panel and the background app do not fit together',
    mismatchText:
      'Their versions speak different protocols. Update both from the same release, then restart the background app.',
    lost: 'Connection lost. Edits go on by themselves; reconnecting...',
    stopped: 'TokenFlow (the background app) has stopped. Edits go on where they were as soon as it runs again.',
    online: 'Connected',
    noModelTitle: 'No model is installed',
    noModelText: 'An edit needs a model. Download one, once.',
  },
};

// The text for each failure: what happened, and what to do. The user can also copy the reported details.

import type { ProblemCode } from '../../state/problem.ts';

export interface ProblemText {
  readonly title: string;
  /** Null where the server's own hint, or nothing, is better. */
  readonly advice: string | null;
}

const text = (title: string, advice: string | null = null): ProblemText => ({ title, advice });

export const problemTexts = {
  'invalid-request': text('The background app did not accept the request.'),
  'prompt-empty': text('The prompt is empty.', 'Say what the clip should become.'),
  'prompt-too-long': text('The prompt is too long.', 'Keep it to a sentence.'),
  'job-missing': text('The background app does not have this edit any more.'),
  'limit-reached': text('The background app has too much to do.', 'Wait for an edit to end, or cancel one.'),
  'clip-missing': text('The background app does not have the clip any more.', 'Apply again to send it.'),
  'clip-unreadable': text('The clip cannot be read as video.', 'Convert it to H.264 or ProRes and try again.'),
  'clip-empty': text('The clip has no frames.'),
  'model-missing': text('The model is not installed any more.', 'Choose another model.'),
  'model-damaged': text('The model is damaged.', 'Remove it in the list of models, and download it again.'),
  'model-unsupported': text(
    'This kind of model is not supported.',
    'Checkpoints of Stable Diffusion 1.x, 2.x and XL work.',
  ),
  'model-gated': text('The model asks for an account.', 'Accept its terms on its page first.'),
  'licence-not-accepted': text("The model's licence is not accepted yet."),
  'adapter-missing': text('A LoRA or embedding is not there any more.'),
  'adapter-damaged': text('A LoRA or embedding is damaged.'),
  'adapter-unsupported': text('A LoRA or embedding does not fit the model.'),
  'model-in-use': text('An edit uses it.', 'Wait for the end of the edit, or cancel it.'),
  'ffmpeg-missing': text('The background app finds no ffmpeg.', 'Install ffmpeg and restart the background app.'),
  'ffmpeg-failed': text('Reading or writing the video failed.', 'Convert the clip to H.264 or ProRes and try again.'),
  'output-unwritable': text('The result cannot be written.', 'Look at the permissions of the folder.'),
  'disk-full': text('The disk is full.', 'Free some space, then go on. Nothing is lost.'),
  'database-busy': text(
    "Another program holds the background app's database.",
    'Wait a moment and try again. A backup or a virus scanner may be at work.',
  ),
  'device-unavailable': text('The graphics device cannot be used.', 'Look at Diagnostics.'),
  'out-of-memory': text(
    'The memory is not enough for this edit.',
    'Edit a shorter piece, raise “Reference frame every”, or close other programs that use the graphics card.',
  ),
  'does-not-fit': text('This edit is too much for this machine.', 'Edit a shorter piece or choose fewer steps.'),
  'result-invalid': text('The edit came out broken.', 'Try another seed, or fewer changes at once.'),
  'engine-crashed': text('The engine ended unexpectedly.', 'Try again; if it happens twice, edit a shorter piece.'),
  'connection-lost': text('The background app cannot be reached.', 'It goes on as soon as the background app is back.'),
  'transfer-damaged': text('The file was damaged on its way.', 'Try again.'),
  'download-refused': text('The download was refused.'),
  'not-paired': text('The panel is not paired with the background app.'),
  'pairing-refused': text(
    'This is not the code that the background app shows.',
    'Look again: eight letters and digits. A code lasts ten minutes.',
  ),
  'link-void': text(
    'The link that opened the panel was used already, or has expired.',
    'Start TokenFlow again to open the panel, or type the code that the background app shows.',
  ),
  'pairing-limited': text(
    'Too many wrong codes.',
    'Wait a minute, then type the code that the background app shows now.',
  ),
  'version-mismatch': text(
    'The panel and the background app do not fit together.',
    'Update both from the same release.',
  ),
  internal: text('Something unforeseen happened.', 'Copy the details for a report.'),

  'project-closed': text('The project is not open any more.', 'Open it and try again; the result is kept.'),
  'sequence-closed': text('The sequence is not open any more.', 'Open it and try again; the result is kept.'),
  'timeline-changed': text(
    'The timeline has changed there since.',
    'The result is kept. You can place it where the clip was.',
  ),
  'no-free-track': text('No video track above the clip is free.', 'Add a track, then try again.'),
  'no-free-audio-track': text('No audio track is free.', 'Add an audio track, then try again.'),
  'preset-missing': text(
    'No export preset was found.',
    'Choose a file of one (.epr) that makes a film at the size of the sequence: ProRes or high-quality H.264.',
  ),
  'export-refused': text('Premiere refused to export the clip.', 'Try again, or edit the source only.'),
  'export-failed': text('The export failed.', 'Try again, or edit the source only.'),
  'import-failed': text('Premiere did not import the result.', 'Try again; the file is kept.'),
  'import-late': text('Premiere did not show the result in time.', 'Try again; the file is kept.'),
  'result-unfit': text('The result does not fit its place.', 'Apply again.'),
  'result-misread': text(
    'Premiere reads the result otherwise than it was written.',
    'Look at Modify > Interpret Footage of the clip in the bin TokenFlow; the details say what differs.',
  ),
  'place-failed': text('The result could not be placed.', 'Try again; it is in the bin TokenFlow.'),
  'place-mismatch': text(
    'The result was placed, but not where it should be.',
    'Undo once in Premiere, then try again.',
  ),
  'edit-missing': text('The edit is not on the timeline any more.'),
  'revert-failed': text('The edit could not be taken back.', 'Undo in Premiere takes it back as well.'),
  'file-missing': text('The file is not there any more.', 'Choose it again.'),
  'file-unreadable': text('The file cannot be read.', 'Choose it again.'),
  'file-unwritable': text('The file cannot be written.', 'Look at the permissions of the folder.'),
  'host-lacks': text('This version of the program lacks a function.', 'Update it, or copy the details for a report.'),
  'host-refused': text('The program refused without a reason.', 'Try again.'),
} satisfies Record<ProblemCode, ProblemText>;

// `edit`: one clip, over the same socket as the panel.

import type { Client } from '../../../../protocol/client/client.ts';
import type { ModelInfo } from '../../../../protocol/model-info.ts';
import { editOverSocket } from '../../client/edit-over-socket.ts';
import { cacheDirOf } from '../../app/config.ts';
import { EditError, throwIfCanceled } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { editOptions, readEditRequest } from '../edit-options.ts';
import { createReporter } from '../edit-reporter.ts';
import { readKeyframes } from '../keyframe-options.ts';
import { readLookupTableOption } from '../lookup-table-option.ts';
import { readMask } from '../mask-options.ts';
import { practiceWarning } from '../practice-warning.ts';
import { createRunDir, type RunDir } from '../../run-dir.ts';
import { openLocalSession, openRemoteSession, type EditSession } from '../session.ts';

/** Names in an error. */
const maxNamed = 12;

export const editCommand = defineCommand({
  name: 'edit',
  usage: 'CLIP --prompt TEXT [options]',
  summary: 'Edit a video clip by a prompt.',
  options: editOptions,
  notes: [
    'The result is written whole or not at all, in the size, frame rate and length of the clip. A file of the same name is replaced.',
    'With --json, standard output is one JSON object per line: {"type":"progress",...}, then one of {"type":"done",...}, {"type":"error",...}, {"type":"canceled"}.',
    'TOKENFLOW_MODEL names the default model, TOKENFLOW_CACHE the folder for working files.',
  ],
  async run({ values, positionals }, context) {
    const { clipPath, outPath, settings, device, controlVideos, ...adapters } = readEditRequest(values, positionals);
    let folder: RunDir | null = null;
    const { model, server } = values;
    const reporter = createReporter(values.json ? 'json' : 'text', context);
    throwIfCanceled(context.signal);
    let session: EditSession | null = null;
    try {
      const openFolder = async () => (folder ??= await createRunDir(cacheDirOf(context.env))).path;
      const masked = await readMask(values, clipPath, openFolder, context.signal);
      const { keyframes, paths } = await readKeyframes(values.keyframe, openFolder, context.signal);
      const table = await readLookupTableOption(values.lut, openFolder);
      session =
        server === undefined
          ? await openLocalSession(context, model, { ...adapters, isVaeNamed: settings.vae !== undefined })
          : await openRemoteSession(context, server);
      const { connection } = session;
      // A server started here has the model first; one that runs already knows its models by name.
      const chosen = server === undefined ? null : await requireModel(model, connection);
      const edited = await editOverSocket(connection, {
        clipPath,
        outPath,
        settings: {
          ...settings,
          ...(masked === null ? {} : { mask: masked.mask }),
          ...(keyframes.length === 0 ? {} : { keyframes }),
          ...(table === null ? {} : { modelColour: 'table', lookupTable: table.lookupTable }),
        },
        controlVideos,
        uploads: [masked?.mattePath, ...paths, table?.path].filter(
          (file) => file != null && file !== clipPath,
        ) as string[],
        model: chosen,
        device,
        onUploaded(sha256) {
          const info = modelInfo(chosen, connection);
          const warning = info === undefined ? null : practiceWarning(info, settings, sha256);
          if (warning === null) return;
          reporter.end();
          context.stderr.write(warning);
        },
        onProgress: (progress) => reporter.progress(progress),
        signal: context.signal,
      });
      reporter.done(edited);
    } finally {
      reporter.end();
      await session?.close();
      await removeFolder(folder);
    }
  },
});

async function removeFolder(folder: RunDir | null): Promise<void> {
  await folder?.remove();
}

/** What the server has said of a model; of its default for null. Undefined for one that it has found since. */
function modelInfo(name: string | null, { link }: Client): ModelInfo | undefined {
  const known = 'server' in link ? link.server.models : [];
  return name === null ? known[0] : known.find(({ id }) => id === name);
}

/** A name that the server knows, or finds when it looks again; null for its default. Throws EditError 'model-missing'. */
async function requireModel(name: string | undefined, connection: Client): Promise<string | null> {
  const { link } = connection;
  const known = 'server' in link ? link.server.models : [];
  if (name === undefined || known.some(({ id }) => id === name)) return name ?? null;
  const { models } = await connection.models();
  // The server takes a name with its place for any model.
  if (name.includes('@') || models.some(({ id }) => id === name)) return name;
  const ids = models.filter(({ problem }) => problem === null).map(({ id }) => id);
  const rest = ids.length > maxNamed ? `, and ${ids.length - maxNamed} more` : '';
  throw new EditError('model-missing', `The server has no model '${name}'.`, {
    hint: `It has ${ids.length === 0 ? 'none' : ids.slice(0, maxNamed).join(', ')}${rest}.`,
  });
}

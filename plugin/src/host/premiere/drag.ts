// What Premiere imports when a version is dragged from the panel onto the Project panel or an open sequence: HTML's own
// drag and drop with a text that it knows (developer.adobe.com/premiere-pro/uxp/plugins/tutorials/drag-and-drop).

/** Id of the plugin, as in manifest.json. */
const source = 'tokenflow.premiere.panel';

const contentTypes: Readonly<Record<string, string>> = { mov: 'video/quicktime', mp4: 'video/mp4' };

/** The text of a drag; null for a file that Premiere does not take in this way. `path` is native and absolute. */
export function dragText(path: string, displayName: string): string | null {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  const contentType = contentTypes[name.slice(name.lastIndexOf('.') + 1).toLowerCase()];
  if (contentType === undefined) return null;
  const item = { name, display_name: displayName, content_type: contentType, uri: fileUri(path) };
  return JSON.stringify({ version: '1.0.0', source, items: [item] });
}

/** RFC 8089; a share of Windows (`\\host\share`) has its host in the address. */
function fileUri(path: string): string {
  const slashed = path.replaceAll('\\', '/');
  const encoded = slashed
    .split('/')
    .map(encodeURIComponent)
    .join('/')
    .replace(/^([A-Za-z])%3A/, '$1:');
  if (encoded.startsWith('//')) return `file:${encoded}`;
  return encoded.startsWith('/') ? `file://${encoded}` : `file:///${encoded}`;
}

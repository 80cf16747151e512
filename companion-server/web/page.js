// The server's own page: its state, and the pairing code for whoever opened the page at the address with the key. The
// key stands behind the # of the address, which no browser sends anywhere; it goes to the server in a header only.

const pollMs = 2_000;
const find = (id) => document.getElementById(id);

/** Taken out of the address bar, so that it is in no screenshot; kept for a reload of this tab. */
function readKey() {
  const key = location.hash.slice(1);
  if (key !== '') {
    sessionStorage.setItem('key', key);
    history.replaceState(null, '', location.pathname);
  }
  return sessionStorage.getItem('key');
}

async function ask(path, options = {}) {
  const response = await fetch(path, { ...options, cache: 'no-store' });
  if (response.ok) return response.json();
  throw Object.assign(new Error(response.statusText), { status: response.status });
}

/** How this server's commands are typed in a terminal of its machine. */
let commands = {};

async function showCommands() {
  commands = await ask('/commands');
  for (const element of document.querySelectorAll('[data-command]')) {
    element.textContent = commands[element.dataset.command];
  }
}

async function showState() {
  try {
    if (commands.start === undefined) await showCommands();
    const { version, protocol } = await ask('/version');
    find('state').textContent = `It runs: version ${version}, protocol ${protocol}.`;
  } catch {
    const start = commands.start === undefined ? '' : ` Start it with ${commands.start}.`;
    find('state').textContent = `The server does not answer.${start}`;
  }
}

function showPairing({ code, pairings }) {
  find('code-box').hidden = false;
  find('key-box').hidden = true;
  const text = code?.code ?? 'No open code';
  if (find('code').textContent !== text) find('code').textContent = text;
  find('code-note').textContent =
    code === null
      ? 'The code was used, or has expired.'
      : `Good for one panel, until ${new Date(code.expiresAt).toLocaleTimeString()}.`;
  find('pairings-box').hidden = pairings.length === 0;
  find('pairings').replaceChildren(...pairings.map(toItem));
}

function toItem({ name, clientId, seenAt, version }) {
  const item = document.createElement('li');
  const note = document.createElement('span');
  const seen =
    seenAt === null ? 'never connected' : `last seen ${new Date(seenAt).toLocaleString()}, version ${version}`;
  note.textContent = ` (${clientId.slice(0, 8)}, ${seen})`;
  item.append(name, note);
  return item;
}

function showNoKey() {
  find('code-box').hidden = true;
  find('pairings-box').hidden = true;
  find('key-box').hidden = false;
}

async function showCode(key, path = '/pairing', method = 'GET') {
  const authorization = `Bearer ${key}`;
  const options =
    method === 'GET'
      ? { headers: { authorization } }
      : { method, headers: { authorization, 'content-type': 'application/json' }, body: '{}' };
  try {
    showPairing(await ask(path, options));
  } catch (error) {
    // An older server's key: the page was opened before a restart. Anything else passes, and is asked again.
    if (error.status === 401) showNoKey();
  }
}

/** Leaves this page for the panel. */
async function openPanel(key) {
  const authorization = `Bearer ${key}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const { path } = await ask('/pairing/link', { method: 'POST', headers, body: '{}' });
  location.assign(path);
}

async function show(key) {
  await showState();
  if (key === null) showNoKey();
  else await showCode(key);
}

const key = readKey();
find('new-code').addEventListener('click', () => showCode(key, '/pairing/code', 'POST'));
find('open-panel').addEventListener('click', () => openPanel(key).catch(() => show(key)));
await show(key);
setInterval(() => document.hidden || show(key), pollMs);

// What the demo's page does, as a text because it runs there. All clips are parts of one film: they cannot fall out of step.

export const playerScript = `
'use strict';
const { width, height, fps, frames } = JSON.parse(document.getElementById('facts').textContent);
const at = (id) => document.getElementById(id);
const film = at('film');
const columns = [...document.querySelectorAll('canvas[data-film]')].map((canvas) => ({
  context: canvas.getContext('2d'),
  index: Number(canvas.dataset.film),
}));
const wipe = at('wipe').getContext('2d');

const frameNow = () => Math.max(0, Math.min(frames - 1, Math.floor(film.currentTime * fps + 0.001)));

function drawPart(context, index, from, to) {
  if (to > from) context.drawImage(film, index * width + from, 0, to - from, height, from, 0, to - from, height);
}

function draw() {
  if (film.readyState < 2) return;
  for (const { context, index } of columns) drawPart(context, index, 0, width);
  const share = at('divider').value / 1000;
  const divided = Math.round(share * width);
  drawPart(wipe, Number(at('wipe-left').value), 0, divided);
  drawPart(wipe, Number(at('wipe-right').value), divided, width);
  at('line').style.left = share * 100 + '%';
  at('position').value = frameNow();
  at('frame').value = frameNow() + 1 + ' / ' + frames;
}

function show(frame) {
  film.pause();
  // The middle of a frame: no rounding can take it for a neighbour.
  film.currentTime = (frame + 0.5) / fps;
}

function follow() {
  draw();
  if (film.requestVideoFrameCallback) film.requestVideoFrameCallback(follow);
  else requestAnimationFrame(follow);
}

film.addEventListener('loadeddata', draw);
film.addEventListener('seeked', draw);
film.addEventListener('play', () => (at('play').textContent = 'Pause'));
film.addEventListener('pause', () => (at('play').textContent = 'Play'));
at('play').addEventListener('click', () => (film.paused ? film.play() : film.pause()));
at('position').addEventListener('input', () => show(Number(at('position').value)));
at('speed').addEventListener('change', () => (film.playbackRate = Number(at('speed').value)));
for (const id of ['divider', 'wipe-left', 'wipe-right']) at(id).addEventListener('input', draw);
follow();
if (!matchMedia('(prefers-reduced-motion: reduce)').matches) film.play().catch(() => undefined);
`;

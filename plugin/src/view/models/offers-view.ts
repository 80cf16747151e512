// What can be downloaded: downloads on their way first, then models and LoRAs that are not here, with size and licence.

import { offerKinds, type ModelDownload, type ModelOffer, type OfferKind } from '../../../../protocol/model-offers.ts';
import type { PanelState } from '../../state/panel-state.ts';
import type { Context, Piece } from '../context.ts';
import { withoutCommand } from '../texts/without-command.ts';
import { keyedList, setClass, setText, show } from '../ui.ts';

/** Bytes that stay free beside a download. */
const reserveBytes = 64 * 2 ** 20;

export function createOffersView(context: Context): Piece {
  const { ui, t } = context;
  const free = ui.el('div', 'hint');
  const downloads = ui.el('div', 'model-rows');
  const running = keyedList<ModelDownload>(
    downloads,
    ({ id }) => id,
    (download) => createDownload(context, download),
  );
  const groups = offerKinds.map((kind) => createGroup(context, kind));
  return {
    root: ui.el('div', 'models', free, downloads, ...groups.map(({ root }) => root)),
    update(state) {
      const freeBytes = state.models?.freeBytes ?? null;
      show(free, freeBytes !== null);
      setText(free, t.download.free(t.fileSize(freeBytes ?? 0)));
      running.update(state.downloads);
      for (const group of groups) group.update(state);
    },
  };
}

function createGroup(context: Context, kind: OfferKind) {
  const { ui, t } = context;
  const rows = ui.el('div', 'model-rows');
  const list = keyedList<ShownOffer>(
    rows,
    ({ id }) => id,
    (offer) => createOffer(context, offer),
  );
  const root = ui.el('div', 'model-group', ui.el('div', 'label', t.download.groups[kind]), rows);
  return {
    root,
    update({ models, downloads }: PanelState): void {
      const freeBytes = models?.freeBytes ?? null;
      const offers = (models?.offers ?? [])
        .filter((offer) => offer.kind === kind && !downloads.some(({ id }) => id === offer.id))
        .map((offer) => ({ ...offer, fits: freeBytes === null || freeBytes >= offer.sizeBytes + reserveBytes }));
      show(root, offers.length > 0);
      list.update(offers);
    },
  };
}

interface ShownOffer extends ModelOffer {
  readonly fits: boolean;
}

function createOffer({ ui, t, dispatch }: Context, { id }: ShownOffer) {
  const d = t.download;
  const name = ui.el('span', 'model-title');
  const size = ui.el('span', 'model-size');
  const get = ui.button(d.get, 'small', () => dispatch({ type: 'model-download-pressed', modelId: id }));
  const here = ui.el('span', 'badge ok', d.here);
  const full = ui.el('span', 'badge problem', d.tooLarge);
  const facts = ui.el('div', 'hint');
  const goodFor = ui.el('div', 'hint');
  return {
    root: ui.el('div', 'model-row', ui.el('div', 'model-head', name, size, get, here, full), facts, goodFor),
    update(offer: ShownOffer): void {
      setText(name, offer.title);
      setText(size, t.fileSize(offer.sizeBytes));
      setText(get, offer.state === 'begun' ? d.goOn : d.get);
      show(get, offer.state !== 'here' && offer.fits);
      show(here, offer.state === 'here');
      show(full, offer.state !== 'here' && !offer.fits);
      setText(facts, [offer.family, d.licence(offer.licenceName)].join(' · '));
      const suits = withoutCommand(offer.goodFor);
      setText(goodFor, suits ?? '');
      show(goodFor, suits !== null);
    },
  };
}

function createDownload({ ui, t, dispatch }: Context, { id }: ModelDownload) {
  const d = t.download;
  const name = ui.el('span', 'model-title');
  const fill = ui.el('div', 'bar-fill');
  const bar = ui.el('div', 'bar', fill);
  const facts = ui.el('div', 'hint');
  const trouble = ui.el('div', 'hint warn-text');
  const pause = ui.button(d.pause, 'small', () => dispatch({ type: 'model-pause-pressed', modelId: id }));
  const resume = ui.button(d.resume, 'small', () => dispatch({ type: 'model-download-pressed', modelId: id }));
  const cancel = ui.button(d.cancel, 'quiet small', () => dispatch({ type: 'model-cancel-pressed', modelId: id }));
  return {
    root: ui.el(
      'div',
      'model-row download',
      ui.el('div', 'model-head', name, pause, resume, cancel),
      bar,
      facts,
      trouble,
    ),
    update(download: ModelDownload): void {
      const { state, error } = download;
      const isMoving = state === 'running' || state === 'waiting';
      setText(name, download.title);
      fill.style.width = `${Math.min(100, (100 * download.doneBytes) / Math.max(1, download.totalBytes))}%`;
      setClass(bar, 'still', !isMoving);
      setText(facts, factsOf(download));
      setText(
        trouble,
        error === null
          ? ''
          : state === 'running'
            ? d.tryingAgain
            : (d.problems[error.code] ?? withoutCommand(error.message) ?? t.problems[error.code].title),
      );
      show(trouble, error !== null);
      show(pause, isMoving);
      show(resume, !isMoving);
      setText(resume, state === 'failed' ? d.retry : d.resume);
    },
  };

  function factsOf({ state, doneBytes, totalBytes, bytesPerSecond }: ModelDownload): string {
    const parts = [d.states[state], d.amount(t.fileSize(doneBytes), t.fileSize(totalBytes))];
    if (state === 'running' && bytesPerSecond !== null && bytesPerSecond > 0) {
      parts.push(d.rate(t.fileSize(bytesPerSecond)));
      parts.push(d.left(t.duration(Math.max(0, totalBytes - doneBytes) / bytesPerSecond)));
    }
    return parts.join(' · ');
  }
}

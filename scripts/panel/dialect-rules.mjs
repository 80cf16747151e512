// What UXP is not able to do, as data. UXP is not a browser: much is ignored in silence, so that a mistake shows only in
// Premiere. Each rule names where it is from; `docs` stands for the developer pages of UXP for Premiere.
//
//   forbidden   named, because people will try them and the reason helps
//   documented  the style properties of the CSS reference: any other is refused
//   tolerated   not in the reference, but harmless where it is ignored

export const css = {
  forbidden: [
    {
      property: /^grid|^place-/,
      why: 'There is no grid layout: use flex.',
      source: 'docs, recipes/css-styling',
    },
    { property: /^transition/, why: 'There are no transitions.', source: 'docs, known-issues' },
    { property: /^animation/, why: 'There are no animations.', source: 'docs, known-issues' },
    {
      property: /^text-transform$/,
      why: 'Write the text as it should be read.',
      source: 'docs, known-issues',
    },
    {
      property: /^font$/,
      why: 'The shorthand is not read: set font-size, -family, -weight, -style.',
      source: 'docs, known-issues',
    },
    {
      property: /^(row-|column-)?gap$/,
      why: 'Not in the reference: use margins.',
      source: 'docs, reference-css/Styles',
    },
    {
      property: /^(box-shadow|transform)/,
      why: 'Needs the feature flag CSSNextSupport, which the manifest does not set.',
      source: 'docs, changelog of UXP',
    },
    {
      property: /^float$|^clear$|^columns?$/,
      why: 'Not in the reference: use flex.',
      source: 'docs, reference-css/Styles',
    },
  ],
  values: [
    {
      property: /^display$/,
      allowed: /^(none|inline|block|inline-block|flex|inline-flex)$/,
      why: 'display knows none, inline, block, inline-block, flex and inline-flex.',
      source: 'docs, reference-css/Styles/display',
    },
    {
      property: /^position$/,
      allowed: /^(static|relative|absolute|fixed)$/,
      why: 'position knows static, relative, absolute and fixed.',
      source: 'docs, reference-css/Styles/position',
    },
  ],
  selectors: [
    {
      pattern: /\[\s*data-/,
      why: 'Selectors by data attributes do not match.',
      source: 'reported',
    },
    {
      pattern: /\[\s*aria-/,
      why: 'aria attributes do not exist: use a class.',
      source: 'docs, unsupported-attributes',
    },
    {
      pattern: /:(has|is|where|focus-within)\b/,
      why: 'Not in the reference of pseudo-classes.',
      source: 'docs, reference-css/Pseudo-classes',
    },
    {
      pattern: /::(?!before|after)/,
      why: 'Only ::before and ::after are there.',
      source: 'docs, reference-css/Pseudo-elements',
    },
  ],
  atRules: {
    allowed: ['media'],
    source: 'docs, reference-css/Media Queries; @font-face is reported not to work',
  },
  mediaFeatures: /^(min-|max-)?(width|height)$|^prefers-color-scheme$/,
  documented: new Set(
    `align-content align-items align-self background background-attachment background-color background-image
     background-repeat background-size border border-bottom border-bottom-color border-bottom-left-radius
     border-bottom-right-radius border-bottom-style border-bottom-width border-color border-left border-left-color
     border-left-style border-left-width border-radius border-right border-right-color border-right-style
     border-right-width border-style border-top border-top-color border-top-left-radius border-top-right-radius
     border-top-style border-top-width border-width bottom color content display flex flex-basis flex-direction
     flex-grow flex-shrink flex-wrap font-family font-size font-style font-weight height justify-content left
     letter-spacing margin margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width
     opacity overflow overflow-x overflow-y padding padding-bottom padding-left padding-right padding-top position
     right text-align text-overflow top visibility white-space width`.split(/\s+/),
  ),
  tolerated: new Set(
    `box-sizing cursor line-height object-fit outline outline-color outline-offset outline-style outline-width
     overflow-wrap pointer-events resize text-decoration touch-action user-select vertical-align word-break z-index
     accent-color color-scheme font-variant-numeric tab-size appearance list-style list-style-type`.split(/\s+/),
  ),
};

export const html = {
  attributes: [
    {
      name: /^aria-/,
      why: 'aria attributes do nothing: say it in visible text.',
      source: 'docs, unsupported-attributes',
    },
    {
      name: /^(hidden|contenteditable|accesskey|spellcheck|tabindex|draggable)$/,
      why: 'The attribute does nothing.',
      source: 'docs, unsupported-attributes',
    },
    {
      name: /^on/,
      why: 'Handlers are set by script, where they are guarded.',
      source: 'house rule',
    },
  ],
  inputTypes: {
    forbidden: ['file', 'color'],
    why: 'There is no such input.',
    source: 'docs, reference-html',
  },
  scripts: {
    why: 'A script is a classic one with defer: modules are not loaded.',
    source: 'docs, sample panels',
  },
  options: { why: 'An option needs a value.', source: 'docs, known-issues' },
};

export const script = {
  /** Globals that a bundle may use: of the language, and of UXP as Adobe documents and declares them. */
  globals: new Set(
    `Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError Float32Array
     Float64Array Infinity Int16Array Int32Array Int8Array JSON Map Math NaN Number Object Promise Proxy RangeError
     ReferenceError Reflect RegExp Set String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array
     Uint8ClampedArray WeakMap WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent globalThis isFinite
     isNaN parseFloat parseInt undefined arguments
     AbortController AbortSignal Blob CustomEvent Event EventTarget File FormData Headers Request Response URL
     URLSearchParams WebSocket XMLHttpRequest clearInterval clearTimeout console crypto document fetch localStorage
     navigator path require sessionStorage setInterval setTimeout window
     Element HTMLElement HTMLButtonElement HTMLDialogElement HTMLImageElement HTMLInputElement HTMLSelectElement
     HTMLTextAreaElement KeyboardEvent Node PointerEvent`.split(/\s+/),
  ),
  /** Why some that people reach for are not in the list. */
  missing: {
    TextDecoder: 'UXP has none: docs, recipes/network.',
    TextEncoder: 'UXP has none: docs, recipes/network.',
    requestAnimationFrame: 'Neither documented nor declared: use setTimeout.',
    cancelAnimationFrame: 'Neither documented nor declared: use clearTimeout.',
    performance: 'Neither documented nor declared: use Date.now().',
    structuredClone: 'Neither documented nor declared.',
    queueMicrotask: 'Reported missing: use Promise.resolve().then().',
    MutationObserver: 'Reported missing.',
    atob: 'Neither documented nor declared.',
    btoa: 'Neither documented nor declared.',
    alert: 'Beta, and needs the flag enableAlerts.',
    confirm: 'Beta, and needs the flag enableAlerts.',
    prompt: 'Beta, and needs the flag enableAlerts.',
    eval: 'Needs the permission allowCodeGenerationFromStrings.',
    Function: 'Needs the permission allowCodeGenerationFromStrings.',
    process: 'UXP is not Node.',
    Buffer: 'UXP is not Node.',
    Intl: 'Not documented: the engine of UXP is not a browser of known version.',
  },
  members: [
    {
      object: 'crypto',
      member: 'subtle',
      why: 'There is no crypto.subtle.',
      source: 'docs, uxp-api/crypto',
    },
    {
      object: null,
      member: 'requestAnimationFrame',
      why: 'Neither documented nor declared.',
      source: 'docs, uxp-api',
    },
    {
      object: null,
      member: 'animate',
      why: 'There are no animations.',
      source: 'docs, known-issues',
    },
    {
      object: null,
      member: 'drawImage',
      why: 'A canvas draws shapes only.',
      source: 'docs, html-canvas-element',
    },
    {
      object: null,
      member: 'getImageData',
      why: 'A canvas cannot be read.',
      source: 'docs, html-canvas-element',
    },
    {
      object: null,
      member: 'putImageData',
      why: 'A canvas draws shapes only.',
      source: 'docs, html-canvas-element',
    },
    {
      object: null,
      member: 'toDataURL',
      why: 'A canvas cannot be read.',
      source: 'docs, html-canvas-element',
    },
  ],
  modules: {
    allowed: ['premierepro', 'uxp', 'fs', 'os'],
    why: 'UXP has no such module.',
    source: 'docs, recipes/js-modules',
  },
  /** Writing these takes data for markup. */
  markup: {
    assigned: ['innerHTML', 'outerHTML'],
    called: ['insertAdjacentHTML', 'write', 'writeln'],
    why: 'Text from prompts and servers must never become markup: make elements and set textContent.',
    source: 'house rule',
  },
  attributes: {
    forbidden:
      /^aria-(pressed|checked|selected|expanded|disabled|hidden|current|busy|invalid|valuenow)$|^(hidden|contenteditable|accesskey|tabindex)$/,
    why: 'The state must be visible: UXP knows neither aria nor this attribute.',
    source: 'docs, unsupported-attributes',
  },
  properties: {
    forbidden: /^(hidden|tabIndex|accessKey|contentEditable|aria[A-Z]\w*)$/,
    why: 'The property does nothing in UXP.',
    source: 'docs, unsupported-attributes',
  },
  events: {
    forbidden: [
      'keypress',
      'drop',
      'dragover',
      'dragstart',
      'dragend',
      'transitionend',
      'animationend',
      'beforeunload',
    ],
    why: 'The event never comes in UXP.',
    source: 'docs, known-issues',
  },
};

// Making and changing elements without a framework. Data goes in as text, never as markup. UXP knows neither the `hidden`
// attribute nor `aria-*`: what is hidden has a class, and what an element is, is said by its text.

export interface Ui {
  el<Tag extends keyof HTMLElementTagNameMap>(
    tag: Tag,
    className: string,
    ...children: readonly (Node | string)[]
  ): HTMLElementTagNameMap[Tag];
  button(label: string, className: string, onPress: () => void): HTMLButtonElement;
  /** Listens; what the handler throws is reported and goes no further, since it would harm the host's scripting. */
  on<Type extends keyof HTMLElementEventMap>(
    target: HTMLElement,
    type: Type,
    handle: (event: HTMLElementEventMap[Type]) => void,
  ): void;
  /** A name for an element without text. */
  name(target: HTMLElement, text: string): void;
  /** More about an element that has a text: its name stays what can be read on it (WCAG 2.5.3). */
  hint(target: HTMLElement, text: string): void;
  /** Says that a button does nothing now. It can be seen by its class; this is for people who hear the page. */
  off(target: HTMLElement, isOff: boolean): void;
  /** Shows whether a button of several is the chosen one. */
  choose(button: HTMLElement, isChosen: boolean, as: 'checked' | 'pressed' | 'current'): void;
  /** What an element is and how it stands, for people who hear the page. */
  describe(target: HTMLElement, facts: Facts): void;
  /** Buttons that are one stop of Tab; arrow keys move among them. Of `choices` one is always chosen. */
  group(target: HTMLElement, kind: GroupKind, label: string): void;
  /** Keeps the focus out of what is covered. */
  inert(target: HTMLElement, isInert: boolean): void;
}

/** Roles and states of WAI-ARIA 1.2, without the prefix `aria-`; null takes one away. */
export interface Facts {
  readonly role?: string;
  readonly label?: string;
  readonly description?: string | null;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly checked?: boolean;
  readonly current?: 'page' | 'true' | null;
  readonly expanded?: boolean;
  readonly modal?: boolean;
  readonly live?: 'polite' | 'off';
  readonly valuemin?: number;
  readonly valuemax?: number;
  readonly valuenow?: number | null;
  readonly valuetext?: string;
}

export type GroupKind = 'choices' | 'tools';

/** Tells people who hear the page. UXP has no way to do this. */
export interface Accessibility {
  describe(target: HTMLElement, facts: Facts): void;
  group(target: HTMLElement, kind: GroupKind): void;
  inert(target: HTMLElement, isInert: boolean): void;
}

export function createUi(page: Document, onError: (error: unknown) => void, accessibility: Accessibility | null): Ui {
  const on: Ui['on'] = (target, type, handle) =>
    target.addEventListener(type, (event) => {
      try {
        handle(event);
      } catch (error) {
        onError(error);
      }
    });
  const el: Ui['el'] = (tag, className, ...children) => {
    const element = page.createElement(tag);
    if (className !== '') element.className = className;
    for (const child of children) {
      element.appendChild(typeof child === 'string' ? page.createTextNode(child) : child);
    }
    return element;
  };
  return {
    el,
    on,
    button(label, className, onPress) {
      const button = el('button', `button ${className}`, label);
      button.type = 'button';
      on(button, 'click', () => onPress());
      return button;
    },
    name(target, text) {
      target.title = text;
      accessibility?.describe(target, { label: text });
    },
    hint(target, text) {
      target.title = text;
      accessibility?.describe(target, { description: text });
    },
    off: (target, isOff) => accessibility?.describe(target, { disabled: isOff }),
    choose(button, isChosen, as) {
      setClass(button, 'on', isChosen);
      if (as === 'current') accessibility?.describe(button, { current: isChosen ? 'page' : null });
      else if (as === 'checked') accessibility?.describe(button, { role: 'radio', checked: isChosen });
      else accessibility?.describe(button, { pressed: isChosen });
    },
    describe: (target, facts) => accessibility?.describe(target, facts),
    group(target, kind, label) {
      accessibility?.describe(target, { label });
      accessibility?.group(target, kind);
    },
    inert: (target, isInert) => accessibility?.inert(target, isInert),
  };
}

export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function show(element: Element, isVisible: boolean): void {
  setClass(element, 'gone', !isVisible);
}

export function setClass(element: Element, name: string, isOn: boolean): void {
  if (element.classList.contains(name) === isOn) return;
  if (isOn) element.classList.add(name);
  else element.classList.remove(name);
}

/** Leaves a field alone while its text is the same, so that the caret stays. */
export function setValue(field: { value: string }, value: string): void {
  if (field.value !== value) field.value = value;
}

/** A list whose items keep their elements as long as their keys are there. */
export interface KeyedList<Item> {
  update(items: readonly Item[]): void;
}

export function keyedList<Item>(
  parent: Element,
  keyOf: (item: Item) => string,
  make: (item: Item) => { readonly root: Element; readonly update: (item: Item) => void },
): KeyedList<Item> {
  const made = new Map<string, { readonly root: Element; readonly update: (item: Item) => void }>();
  return {
    update(items) {
      const keys = new Set(items.map(keyOf));
      for (const [key, { root }] of made) {
        if (keys.has(key)) continue;
        root.remove();
        made.delete(key);
      }
      items.forEach((item, index) => {
        const key = keyOf(item);
        const piece = made.get(key) ?? make(item);
        made.set(key, piece);
        if (parent.children[index] !== piece.root) {
          parent.insertBefore(piece.root, parent.children[index] ?? null);
        }
        piece.update(item);
      });
    },
  };
}

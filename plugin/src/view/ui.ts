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
  /** Says that a button does nothing now. It can be seen by its class; this is for people who hear the page. */
  off(target: HTMLElement, isOff: boolean): void;
  /** Says that a button stands for something that is on. */
  pressed(target: HTMLElement, isOn: boolean): void;
}

/** Announces a text to screen readers. UXP has no way to do this. */
export interface Announce {
  name(target: HTMLElement, text: string): void;
  off(target: HTMLElement, isOff: boolean): void;
  pressed(target: HTMLElement, isOn: boolean): void;
}

export function createUi(page: Document, onError: (error: unknown) => void, announce: Announce | null): Ui {
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
      announce?.name(target, text);
    },
    off: (target, isOff) => announce?.off(target, isOff),
    pressed: (target, isOn) => announce?.pressed(target, isOn),
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

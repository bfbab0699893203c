/**
 * xterm.js writes its colours and sizes into <style> elements, which it makes while a terminal is opened, and into style attributes of spans.
 * Our content security policy forbids both. So the style elements are constructed style sheets behind their back, and a style attribute is
 * set through the object model: the page's own scripts at work, which the policy allows.
 */

const native: (this: Document, name: string) => HTMLElement = Reflect.get(Document.prototype, 'createElement');
const create = (name: string): HTMLElement => native.call(document, name);

/** An element that draws nothing, whose text becomes a style sheet. */
function makeStyleElement(): HTMLElement {
  const sheet = new CSSStyleSheet();
  const element = create('template');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  let text = '';
  Object.defineProperty(element, 'textContent', {
    get: () => text,
    set: (value: string) => {
      text = value;
      sheet.replaceSync(value);
    },
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

/** The same effect as the attribute, on every span of the page, whoever makes it. */
function allowStyledSpans(): void {
  Object.defineProperty(HTMLSpanElement.prototype, 'setAttribute', {
    configurable: true,
    value(this: HTMLSpanElement, name: string, value: string): void {
      if (name === 'style') this.style.cssText = value;
      else Element.prototype.setAttribute.call(this, name, value);
    },
  });
}

/** For what opens a terminal; what it draws later is covered, too. */
export function withStrictStyles<T>(open: () => T): T {
  allowStyledSpans();
  Object.defineProperty(document, 'createElement', {
    configurable: true,
    value: (name: string) => (name === 'style' ? makeStyleElement() : create(name)),
  });
  try {
    return open();
  } finally {
    Reflect.deleteProperty(document, 'createElement');
  }
}

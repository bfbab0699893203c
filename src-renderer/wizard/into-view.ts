/** What a person has just provoked is not left below the edge of the window, as an attachment. */
export function intoView(element: HTMLElement): void {
  element.scrollIntoView({ block: 'nearest' });
}

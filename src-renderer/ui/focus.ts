/** Focus for what appears because a person asked for it, as an attachment. */
import type { Attachment } from 'svelte/attachments';

export function focusWhen(wanted: boolean): Attachment<HTMLElement> {
  return (element) => {
    if (wanted) element.focus();
  };
}

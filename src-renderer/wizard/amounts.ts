import type { Messages } from '../messages/messages.ts';

/** Memory is sold in powers of 1024 and named in powers of 1000: 8 GiB are `8 GB` to everybody who bought them. */
export function memoryText(words: Messages, bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  const large = mebibytes >= 1000;
  return new Intl.NumberFormat(words.language === 'fr' ? 'fr-FR' : 'en-GB', {
    style: 'unit',
    unit: large ? 'gigabyte' : 'megabyte',
    maximumFractionDigits: large && mebibytes < 10_000 ? 1 : 0,
  }).format(large ? mebibytes / 1024 : mebibytes);
}

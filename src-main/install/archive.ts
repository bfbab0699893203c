/** A tar archive of a few files (POSIX ustar): what travels to a server, readable by the tar of any distribution. Same files, same bytes. */

export interface ArchiveFile {
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

const blockBytes = 512;

function header(file: ArchiveFile): Buffer {
  const block = Buffer.alloc(blockBytes);
  if (Buffer.byteLength(file.name) > 99) throw new RangeError('name too long');
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  block.write(file.name, 0, 'utf8');
  octal(file.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(file.content.length, 124, 12);
  octal(0, 136, 12);
  block.fill(' ', 148, 156);
  block.write('0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write('root', 265, 'latin1');
  block.write('root', 297, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

export function archive(files: readonly ArchiveFile[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const file of files) {
    const padding = (blockBytes - (file.content.length % blockBytes)) % blockBytes;
    parts.push(header(file), file.content, Buffer.alloc(padding));
  }
  parts.push(Buffer.alloc(2 * blockBytes));
  return Buffer.concat(parts);
}

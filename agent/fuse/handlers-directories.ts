/** Requests about open directories. Positions are those of the filesystem below, which stay good while the directory changes. */
import { close, E, O } from '../sys/linux.ts';
import { directoryRecordLength, readNumber, writeDirectoryRecord, writeNumber } from './codec.ts';
import { DirectoryStream } from './directory-stream.ts';
import { entryBytes, replyHeaderBytes, requestHeaderBytes } from './protocol.ts';
import type { Handler, OpenFile, Outcome, Service } from './service.ts';

const body = requestHeaderBytes;

export const openDirectory: Handler = (service) => {
  const node = service.node();
  if (!node) return service.fail(-E.STALE);
  const fd = service.backing.openNode(node, O.RDONLY | O.DIRECTORY);
  if (fd < 0) return service.fail(fd);
  const { handle } = service.addFile(fd, node, false, new DirectoryStream(fd), O.RDONLY);
  const { bytes } = service.reply;
  writeNumber(bytes, handle, replyHeaderBytes);
  writeNumber(bytes, 0, replyHeaderBytes + 8);
  return service.send(replyHeaderBytes + 16);
};

/** `struct fuse_direntplus` begins with an entry; its zero node id means "no attributes given". */
function putPlus(service: Service, file: OpenFile, stream: DirectoryStream, at: number): void {
  service.reply.bytes.fill(0, at, at + entryBytes);
  if (stream.isDot()) return;
  // Gone again since the directory was read, perhaps: then the name alone is told.
  const node = service.backing.find(file.node, stream.name, service.attributes);
  if (typeof node !== 'number') service.putEntry(at, node, service.attributes);
}

function readEntries(service: Service, request: Buffer, plus: boolean): Outcome {
  const file = service.file(readNumber(request, body));
  if (!file?.stream) return service.fail(-E.BADF);
  const { stream } = file;
  const moved = stream.goTo(request.readUInt32LE(body + 8), request.readUInt32LE(body + 12));
  if (moved < 0) return service.fail(moved);
  const end = Math.min(replyHeaderBytes + request.readUInt32LE(body + 16), service.reply.length);
  let at = replyHeaderBytes;
  for (;;) {
    const status = stream.peek();
    if (status < 0 && at === replyHeaderBytes) return service.fail(status);
    if (status <= 0) break;
    if (service.isHidden(file.node, stream.name)) {
      stream.advance();
      continue;
    }
    const prefix = plus ? entryBytes : 0;
    if (at + prefix + directoryRecordLength(stream.name.length) > end) break;
    if (plus) putPlus(service, file, stream, at);
    at += prefix;
    at += writeDirectoryRecord(service.reply.bytes, at, stream);
    stream.advance();
  }
  return service.send(at);
}

export const readDirectory: Handler = (service, { bytes }) => readEntries(service, bytes, false);
export const readDirectoryPlus: Handler = (service, { bytes }) => readEntries(service, bytes, true);

export const releaseDirectory: Handler = (service, { bytes }) => {
  const file = service.file(readNumber(bytes, body));
  // Closed already, by a predecessor.
  if (!file && service.keeper.isRepeated) return service.done();
  if (!file) return service.fail(-E.BADF);
  close(file.fd);
  service.removeFile(file);
  return service.done();
};

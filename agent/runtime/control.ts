/** `controlApi` over the control socket: what the app and the command line ask of a node. */
import type { ControlApi, EventDraft, Handlers, LinePort, RpcServer, VolumeStatus } from '../contract/index.ts';
import { controlApi, Fault, serve } from '../contract/index.ts';
import type { CommandRunner } from '../network/index.ts';
import { estimateOf } from './estimates.ts';
import { inspectVolume } from './inspect.ts';
import { keptCopies } from './kept-copies.ts';
import { lastComparisonsIn } from './last-comparisons.ts';
import type { RuntimePorts } from './ports.ts';
import type { Runtime } from './runtime.ts';

const units = ['holdfastd.service', 'holdfast-replicator.service', 'holdfast-witness.service'];

export function logsCommand(lines: number): readonly string[] {
  return [
    'journalctl',
    '--no-pager',
    '--output=short-iso-precise',
    `--lines=${lines}`,
    ...units.map((unit) => `--unit=${unit}`),
  ];
}

export interface ControlOptions {
  readonly runtime: Runtime;
  readonly ports: RuntimePorts;
  readonly run: CommandRunner;
}

export function controlHandlers({ runtime, ports, run }: ControlOptions): Handlers<ControlApi> {
  const order = (name: 'start' | 'stop' | 'restart' | 'swap') => async (params: { module: string }) => {
    await runtime.command(params.module, { name });
    return null;
  };
  const kept = keptCopies(run);
  const lastComparisons = lastComparisonsIn(ports.events);
  const known = (id: string): VolumeStatus | null => runtime.volume(id);
  return {
    status: async () => runtime.status(),
    events: ({ after, limit, newest }) =>
      newest ? ports.events.newestAfter(after, limit) : ports.events.after(after, limit),
    logs: async ({ lines }) => {
      const result = await run(logsCommand(lines), { timeoutMs: 30_000 });
      if (result.code !== 0)
        throw new Fault('logs-unavailable', { message: `journalctl failed: ${result.stderr.trim()}` });
      return result.stdout.split('\n').filter((line) => line !== '');
    },
    configure: async (record) => {
      await runtime.configure(record);
      return null;
    },
    inspect: ({ volumes }) =>
      Promise.all(volumes.map((volume) => inspectVolume(volume, { clock: ports.clock, known }))),
    initialise: async (params) => ({ keptAt: await runtime.initialise(params) }),
    start: order('start'),
    stop: order('stop'),
    restart: order('restart'),
    swap: order('swap'),
    maintenance: async ({ module, on }) => {
      await runtime.command(module, { name: 'maintenance', on });
      return null;
    },
    promote: async ({ module, orderedBy }) => {
      await runtime.command(module, { name: 'promote', orderedBy });
      return null;
    },
    verify: async ({ module, repair }) => {
      await runtime.verify(module, repair);
      return null;
    },
    stopVerify: async ({ module }) => {
      await runtime.stopVerify(module);
      return null;
    },
    verification: ({ module }) => lastComparisons.beside(module, runtime.verification(module)),
    estimate: ({ module, files }) => estimateOf(ports.replicator, runtime.definition(module), files),
    kept: ({ module }) => kept.list(runtime.definition(module)),
    compareKept: ({ module, id, limit }) => kept.compare(runtime.definition(module), id, limit),
    restoreKept: async ({ module, ...order }) => {
      await kept.restore(runtime.definition(module), order, runtime.runsHere(module));
      runtime.emit(restoredEvent(module, order));
      return null;
    },
    discardKept: async ({ module, id }) => {
      await kept.discard(runtime.definition(module), id);
      runtime.emit({
        module,
        code: 'kept-discarded',
        message: `What was set aside as ${id} was removed by order.`,
        severity: 'info',
        evidence: { id },
      });
      return null;
    },
    dataBytes: ({ module }) => kept.dataBytes(runtime.definition(module)),
    volumeSpace: ({ module, measured }) => kept.space(runtime.definition(module), measured),
    withdraw: async () => {
      await runtime.withdraw();
      return null;
    },
  };
}

function restoredEvent(
  module: string,
  { id, path, to }: { readonly id: string; readonly path: string | null; readonly to: string | null },
): EventDraft {
  return {
    module,
    code: 'kept-restored',
    message: `${path ?? 'Everything'} of ${id} was copied to ${to ?? 'the living data'}.`,
    severity: 'info',
    evidence: { id, path: path ?? '', to: to ?? '' },
  };
}

/** Serves one caller until it goes away. */
export function serveControl(options: ControlOptions, port: LinePort): RpcServer<ControlApi> {
  const server = serve(controlApi, controlHandlers(options), port, options.ports.agentVersion);
  const subscription = options.runtime.listen({
    status: (status) => server.emit('status', status),
    event: (event) => server.emit('event', event),
  });
  port.onClose(() => subscription[Symbol.dispose]());
  return server;
}

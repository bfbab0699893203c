/** The scriptable stand-in of a part of the main process: for tests of what a screen shows, not of what a server does. */
import type { EventInput } from '../../agent/contract/index.ts';
import type { AppApi } from '../../src-main/app-api/index.ts';
import type { AppPart, Screen } from '../../src-main/app.ts';

type Handler = (params: never, signal: AbortSignal) => Promise<unknown>;
type Events = AppApi['events'];

export abstract class DemonstrationPart<
  Handlers extends { readonly [M in keyof Handlers]: Handler },
> implements AppPart<Handlers> {
  /** Everything that screens have asked, oldest first. */
  readonly calls: { readonly method: string; readonly params: unknown }[] = [];
  readonly #screens = new Set<Screen>();
  readonly #scripted: Partial<Handlers> = {};

  /** What it answers unless a test says otherwise. */
  protected abstract handlers(screen: Screen): Handlers;

  /** From now on; a Fault that is thrown there reaches the screen as it is. */
  answer<M extends keyof Handlers>(method: M, handler: Handlers[M]): void {
    this.#scripted[method] = handler;
  }

  /** The parameters of every call of this method, oldest first. */
  paramsOf<M extends keyof Handlers & string>(method: M): Parameters<Handlers[M]>[0][] {
    return this.calls.filter((call) => call.method === method).map((call) => call.params as Parameters<Handlers[M]>[0]);
  }

  get screens(): ReadonlySet<Screen> {
    return this.#screens;
  }

  emit<E extends keyof Events>(event: E, data: EventInput<AppApi, E>): void {
    for (const screen of this.#screens) screen.emit(event, data);
  }

  serve(screen: Screen): Handlers {
    this.#screens.add(screen);
    screen.onClose(() => this.#screens.delete(screen));
    const defaults = this.handlers(screen);
    const served = Object.keys(defaults).map((name) => {
      const method = name as keyof Handlers & string;
      const handler: Handler = async (params, signal) => {
        this.calls.push({ method, params });
        return await (this.#scripted[method] ?? defaults[method])(params, signal);
      };
      return [method, handler];
    });
    return Object.fromEntries(served) as Handlers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#screens.clear();
  }
}

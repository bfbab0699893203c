/**
 * Who may speak to the browser host. Any program and any web page on the machine can reach a port on loopback, so:
 * a token that opens exactly one session, a cookie that scripts cannot read and other sites cannot send, and checks of
 * Host (a foreign name that resolves to 127.0.0.1) and Origin (a foreign page).
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const same = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

export interface RequestFacts {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly cookie: string | undefined;
  readonly changesSomething: boolean;
}

export class Session {
  readonly token = randomBytes(32).toString('base64url');
  readonly #secret = randomBytes(32).toString('base64url');
  readonly #port: number;
  #tokenUsed = false;

  constructor(port: number) {
    this.#port = port;
  }

  /** Cookies do not know ports: two apps on one machine must not overwrite each other's. */
  get #cookieName(): string {
    return `holdfast-${this.#port}`;
  }

  /** The Set-Cookie value, once; undefined for a wrong or a used token. */
  exchange(token: string): string | undefined {
    if (this.#tokenUsed || !same(token, this.token)) return undefined;
    this.#tokenUsed = true;
    return `${this.#cookieName}=${this.#secret}; HttpOnly; SameSite=Strict; Path=/`;
  }

  isOwnHost(host: string | undefined): boolean {
    return host === `127.0.0.1:${this.#port}` || host === `localhost:${this.#port}`;
  }

  allows(request: RequestFacts): boolean {
    if (!this.isOwnHost(request.host)) return false;
    const ownOrigin = `http://${request.host ?? ''}`;
    if (request.origin === undefined ? request.changesSomething : request.origin !== ownOrigin) return false;
    if (request.fetchSite !== undefined && request.fetchSite !== 'same-origin' && request.fetchSite !== 'none')
      return false;
    const prefix = `${this.#cookieName}=`;
    const values = (request.cookie ?? '').split(';').map((part) => part.trim());
    const own = values.find((part) => part.startsWith(prefix));
    return own !== undefined && same(own.slice(prefix.length), this.#secret);
  }
}

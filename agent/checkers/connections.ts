/** Checkers that connect. Hosts are addresses: with a name the answer would depend on a name server. */
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Finding, ProbeOf } from '../contract/index.ts';
import type { Checker } from './checker.ts';
import { aborted, good } from './checker.ts';

/** Enough for a health page; what comes after is not looked at. */
const bodyBytesMax = 65536;

export function failureOf(error: NodeJS.ErrnoException): Finding {
  switch (error.code) {
    case 'ECONNREFUSED':
      return { code: 'refused', found: '' };
    case 'ETIMEDOUT':
      return { code: 'no-answer', found: '' };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return { code: 'unreachable', found: error.code };
    default:
      return { code: 'broken-answer', found: error.code ?? error.message };
  }
}

export function tcpChecker({ host, port }: ProbeOf<'tcp'>): Checker {
  return {
    async look(signal) {
      using ended = aborted(signal);
      const socket = net.connect({ host, port });
      const { promise, resolve } = Promise.withResolvers<Finding>();
      socket.on('connect', () => resolve(good));
      socket.on('error', (error) => resolve(failureOf(error)));
      try {
        return await Promise.race([promise, ended.promise]);
      } finally {
        socket.destroy();
      }
    },
  };
}

/** Pure: what an answer means. `body`: as much of it as was read. */
export function judgeAnswer(probe: ProbeOf<'http'>, status: number, body: string): Finding {
  const wanted = probe.status === null ? status >= 200 && status < 400 : status === probe.status;
  if (!wanted) return { code: 'wrong-status', found: String(status) };
  if (probe.contains !== null && !body.includes(probe.contains)) return { code: 'text-missing', found: probe.contains };
  return good;
}

export function httpChecker(probe: ProbeOf<'http'>): Checker {
  return {
    async look(signal) {
      using ended = aborted(signal);
      const { promise, resolve } = Promise.withResolvers<Finding>();
      const url = new URL(probe.url);
      const secure = url.protocol === 'https:';
      // Whether it answers is asked, not who it is: a certificate that ran out must not move an application.
      const options = { agent: false, headers: { 'user-agent': 'holdfast', connection: 'close' } };
      const request = secure
        ? https.request(url, { ...options, rejectUnauthorized: false })
        : http.request(url, options);
      request.on('error', (error) => resolve(failureOf(error)));
      request.on('response', (response) => {
        let body = '';
        const status = response.statusCode ?? 0;
        const done = (): void => resolve(judgeAnswer(probe, status, body));
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
          if (body.length >= bodyBytesMax || (probe.contains !== null && body.includes(probe.contains))) done();
        });
        response.on('end', done);
        response.on('error', (error) => resolve(failureOf(error)));
        if (probe.contains === null) done();
      });
      request.end();
      try {
        return await Promise.race([promise, ended.promise]);
      } finally {
        request.destroy();
      }
    },
  };
}

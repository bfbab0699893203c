import { describe, expect, it } from 'vitest';
import { expandTokens, matchesPatterns, parseDestination, parseSshConfig, resolveHost } from './ssh-config.ts';

const config = parseSshConfig(
  `# comment
Include extra
Port 2200
Host n1 n1.example
  HostName 10.0.0.11
  User=admin
  IdentityFile "~/keys/my key"
  ProxyCommand nc -X 5 %h %p
Host *.example !secret.example
  ProxyJump jump@gate:2222
  IdentityFile ~/.ssh/other
Match user nobody
  User wrong
Host none.example
  ProxyCommand none
Host *
  User last
  ConnectTimeout 7
  UserKnownHostsFile ~/a /etc/b
`,
  (pattern) => (pattern === 'extra' ? ['Host extra\n  HostName 10.9.9.9\n'] : []),
);

describe('ssh_config', () => {
  it('takes the first value and adds identity files up', () => {
    expect(resolveHost(config, 'n1.example')).toEqual({
      hostName: '10.0.0.11',
      port: 2200,
      user: 'admin',
      identityFiles: ['~/keys/my key', '~/.ssh/other'],
      identitiesOnly: false,
      identityAgent: null,
      proxyCommand: 'nc -X 5 %h %p',
      proxyJump: 'jump@gate:2222',
      userKnownHostsFiles: ['~/a', '/etc/b'],
      connectTimeoutMs: 7000,
    });
  });

  it('knows negated patterns, Match, Include and none', () => {
    expect(resolveHost(config, 'secret.example').proxyJump).toBeNull();
    expect(resolveHost(config, 'none.example').proxyCommand).toBeNull();
    expect(resolveHost(config, 'extra').hostName).toBe('10.9.9.9');
    expect(resolveHost(config, 'other')).toMatchObject({ hostName: 'other', user: 'last' });
    expect(matchesPatterns(['10.0.?.*'], '10.0.7.200')).toBe(true);
    expect(matchesPatterns(['10.0.?.*'], '10.0.77.200')).toBe(false);
  });

  it('reads destinations and tokens', () => {
    expect(parseDestination('root@10.0.0.1')).toEqual({ user: 'root', host: '10.0.0.1', port: null });
    expect(parseDestination('ssh://me@[fe80::1]:22')).toEqual({ user: 'me', host: 'fe80::1', port: 22 });
    expect(parseDestination('a:2222')).toEqual({ user: null, host: 'a', port: 2222 });
    expect(expandTokens('nc %h %p 100%% %x', { h: 'n1', p: '22' })).toBe('nc n1 22 100% %x');
  });
});

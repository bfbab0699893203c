import { expect, test } from 'vitest';
import { practiceObstacle, rootLine, type PracticeMachine } from './obstacle.ts';

const debianAsRoot: PracticeMachine = {
  platform: 'linux',
  isRoot: true,
  hasDebianPackaging: true,
  hasLoopDevices: true,
  environment: {},
};
const lab = ['node', 'resources/launch.mjs', 'lab'];

test('root on Debian: nothing is in the way', () => {
  expect(practiceObstacle(debianAsRoot, lab)).toBeNull();
});

test.each<[string, Partial<PracticeMachine>, readonly string[] | null]>([
  ['practice-needs-linux', { platform: 'darwin', isRoot: false, hasDebianPackaging: false }, lab],
  ['practice-needs-linux', { platform: 'win32', isRoot: false, hasDebianPackaging: false }, null],
  ['practice-needs-checkout', { isRoot: false }, null],
  ['practice-needs-debian', { hasDebianPackaging: false }, lab],
  ['practice-needs-root', { isRoot: false }, lab],
  ['practice-needs-loop-devices', { hasLoopDevices: false }, lab],
])('%s: says why and what to do', (code, difference, command) => {
  const obstacle = practiceObstacle({ ...debianAsRoot, ...difference }, command);
  expect(obstacle?.code).toBe(code);
  expect(obstacle?.message).toMatch(/\.$/);
  expect(obstacle?.remedy).not.toBe('');
});

test('who is not root gets the line that he has to type', () => {
  const user = { ...debianAsRoot, isRoot: false };
  expect(practiceObstacle(user, lab)?.remedy).toBe('sudo npm start');
  expect(practiceObstacle(user, lab, 'npm start -- --practice')?.remedy).toBe('sudo npm start -- --practice');
});

test('a Node in a home folder is not on the PATH of root; who logged in as root needs no sudo', () => {
  const ownNode = { npm_node_execpath: '/home/ada/.nvm/versions/node/v22.1.0/bin/node' };
  expect(rootLine('npm start', { isRoot: false, environment: ownNode })).toBe('sudo env "PATH=$PATH" npm start');
  expect(rootLine('npm start', { isRoot: false, environment: { npm_node_execpath: '/usr/bin/node' } })).toBe(
    'sudo npm start',
  );
  expect(rootLine('npm start', { isRoot: true, environment: {} })).toBe('npm start');
  expect(rootLine('npm start', { isRoot: true, environment: { SUDO_USER: 'ada' } })).toBe('sudo npm start');
});

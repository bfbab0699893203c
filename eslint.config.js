// The strictest sets of typescript-eslint, and what STYLE asks beyond them. Layer rules are in .dependency-cruiser.cjs.
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** @type {(name: string, reason: string) => { name: string, message: string }} */
const forbiddenInCore = (name, reason) => ({ name, message: `agent/core is pure: ${reason}` });

const ffi = {
  name: 'node:ffi',
  message: 'node:ffi stays in agent/sys: it is the only unsafe code, and the only code tied to one runtime.',
};

const wholeOfZod = {
  selector: "ImportDeclaration[importKind='value'][source.value='zod'] > ImportSpecifier",
  message: "import * as z from 'zod': of the other one every thread on a server carries all of zod in memory.",
};

export default defineConfig(
  { ignores: ['node_modules/', 'dist/', 'release/', 'coverage/', '.cache/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      // The compiler knows every global; this rule would only repeat it, worse.
      'no-undef': 'off',
      eqeqeq: 'error',
      'no-console': 'off',
      'no-restricted-imports': ['error', { paths: [ffi] }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      // A generator step or an interface method may have to be async without waiting for anything.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser, svelteConfig } },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      // In a test a missing value is a failure in any case: `!` says so shortest.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['agent/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', wholeOfZod] },
  },
  {
    files: ['agent/sys/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['agent/core/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^node:', message: 'agent/core is pure: it reaches no machine.' }] },
      ],
      'no-restricted-globals': [
        'error',
        forbiddenInCore('Date', 'time arrives in events'),
        forbiddenInCore('performance', 'time arrives in events'),
        forbiddenInCore('setTimeout', 'timers are actions'),
        forbiddenInCore('setInterval', 'timers are actions'),
        forbiddenInCore('setImmediate', 'timers are actions'),
        forbiddenInCore('queueMicrotask', 'nothing happens later'),
        forbiddenInCore('Promise', 'nothing happens later'),
        forbiddenInCore('process', 'it reaches no machine'),
        forbiddenInCore('globalThis', 'it reaches no machine'),
        forbiddenInCore('crypto', 'randomness arrives in events'),
        forbiddenInCore('console', 'a log line is an action'),
        forbiddenInCore('fetch', 'it reaches no machine'),
        forbiddenInCore('Buffer', 'Uint8Array is enough'),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'agent/core is pure: randomness arrives in events' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: ':function[async=true]', message: 'agent/core is pure: no async' },
        { selector: 'AwaitExpression', message: 'agent/core is pure: no await' },
        { selector: 'ForOfStatement[await=true]', message: 'agent/core is pure: no await' },
        { selector: 'ImportExpression', message: 'agent/core is pure: no dynamic import' },
      ],
    },
  },
  {
    // Plain scripts run before anything is installed; JSDoc types are checked by the compiler, not by these rules.
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    ...tseslint.configs.disableTypeChecked,
  },
);

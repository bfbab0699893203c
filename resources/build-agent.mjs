// Builds what travels to a server at every install and upgrade: dist/agent/{holdfast,lane,command-line}.mjs and
// version.json. Same sources, same bytes: the name of a bundle on a server is made from its hash.
//   node resources/build-agent.mjs [--version X] [--out DIR]
// `--version` makes a bundle that calls itself X, to try an upgrade or two servers of different versions.
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Name in the bundle → where it starts. */
export const agentEntries = {
  'holdfast.mjs': 'agent/main.ts',
  'lane.mjs': 'agent/replication/lane.ts',
  'command-line.mjs': 'src-main/command-line/on-node.ts',
};

/** @param {string | Uint8Array} data */
const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/** Whatever can change the bundle: when none of it has changed, neither has the bundle. */
function inputsHash(/** @type {string} */ version) {
  const files = [
    ...globSync(['agent/**/*.ts', 'src-main/**/*.ts'], { cwd: root }).filter((file) => !file.endsWith('.test.ts')),
    'package-lock.json',
    'resources/build-agent.mjs',
  ].sort();
  const parts = files.map((file) => `${file} ${sha256(readFileSync(join(root, file)))}`);
  return sha256([version, ...parts].join('\n'));
}

/**
 * zod carries its messages in fifty languages, and nothing of them can be left out by itself. Agents speak English; the
 * app turns fault codes into the user's language.
 * @type {import('esbuild').Plugin}
 */
const englishOnly = {
  name: 'english-only',
  setup(bundler) {
    bundler.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

/**
 * Schemas are made when a file is loaded, which no bundler leaves out unless told that nobody would miss it. Every thread of the replicator has all of its bundle
 * in memory, and needs few of them.
 * @type {import('esbuild').Plugin}
 */
const onlyUsedSchemas = {
  name: 'only-used-schemas',
  setup(bundler) {
    bundler.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ resolveDir, path }) => {
      const file = resolve(resolveDir, path);
      return file.startsWith(join(root, 'agent/contract/')) ? { path: file, sideEffects: false } : null;
    });
  },
};

/**
 * Two builds at once make the same bundle: whichever is renamed last stays.
 * @param {string} directory
 * @param {string} replacement
 */
function replaceDirectory(directory, replacement, attemptsLeft = 5) {
  rmSync(directory, { recursive: true, force: true });
  try {
    renameSync(replacement, directory);
  } catch (error) {
    if (attemptsLeft === 0) throw error;
    replaceDirectory(directory, replacement, attemptsLeft - 1);
  }
}

/**
 * @param {{ version?: string | undefined, out?: string | undefined }} [options] `out` is relative to the working directory
 * @returns {Promise<{ directory: string, version: string, sha256: string, rebuilt: boolean }>}
 */
export async function buildAgent(options = {}) {
  const version = options.version ?? String(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version);
  const directory = resolve(options.out ?? join(root, 'dist/agent'));
  const inputs = inputsHash(version);
  const versionPath = join(directory, 'version.json');
  if (existsSync(versionPath)) {
    const built = JSON.parse(readFileSync(versionPath, 'utf8'));
    const whole = Object.entries(built.files).every(([name, hash]) => {
      const path = join(directory, name);
      return existsSync(path) && sha256(readFileSync(path)) === hash;
    });
    if (built.inputs === inputs && whole) return { directory, version, sha256: built.sha256, rebuilt: false };
  }

  for (const entry of Object.values(agentEntries)) {
    if (!existsSync(join(root, entry))) throw new Error(`${entry} is missing: the agent cannot be built without it.`);
  }
  const { protocolVersion } = await import('../agent/contract/protocol.ts');
  // Loaded only when there is something to build: most runs find nothing changed.
  const { build } = await import('esbuild');
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(agentEntries).map(([name, entry]) => ({ in: entry, out: name.replace(/\.mjs$/, '') })),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    external: ['node:*', 'cpu-features', '*.node'],
    plugins: [englishOnly, onlyUsedSchemas],
    define: { HOLDFAST_VERSION: JSON.stringify(version) },
    minifyWhitespace: true,
    minifySyntax: true, // names stay: a stack trace from a customer's server must be readable
    keepNames: true,
    charset: 'ascii', // one character beyond Latin-1 makes the text of the program twice as large in every thread
    legalComments: 'none',
    // Packages in the old module format ask for Node's own modules through `require`.
    banner: {
      js: "import { createRequire as holdfastCreateRequire } from 'node:module'; const require = holdfastCreateRequire(import.meta.url);",
    },
    logLevel: 'silent',
  }).catch((/** @type {unknown} */ error) => {
    throw new Error(`The agent could not be built:\n${error instanceof Error ? error.message : String(error)}`);
  });

  // Beside, then renamed: a build that was interrupted never leaves half a bundle under the real name.
  const beside = `${directory}.${process.pid}.new`;
  mkdirSync(beside, { recursive: true });
  try {
    /** @type {Record<string, string>} */
    const files = {};
    for (const file of [...result.outputFiles].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const name = relative(directory, file.path);
      files[name] = sha256(file.contents);
      writeFileSync(join(beside, name), file.contents);
    }
    const whole = sha256([version, ...Object.entries(files).map(([name, hash]) => `${name} ${hash}`)].join('\n'));
    const description = { version, protocol: protocolVersion, sha256: whole, files, inputs };
    writeFileSync(join(beside, 'version.json'), `${JSON.stringify(description, null, 2)}\n`);
    mkdirSync(dirname(directory), { recursive: true });
    replaceDirectory(directory, beside);
    return { directory, version, sha256: whole, rebuilt: true };
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({
      options: { version: { type: 'string' }, out: { type: 'string' } },
    });
    const built = await buildAgent(values);
    console.error(
      `${built.rebuilt ? 'Built' : 'Unchanged:'} agent ${built.version} (${built.sha256.slice(0, 12)}) in ${built.directory}`,
    );
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

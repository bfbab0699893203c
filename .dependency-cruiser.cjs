// The direction of the layers: contract ← core ← drivers ← runtime ← main. Every rule has a deliberate violation in
// test/rules, so a rule that stops biting fails the build.

const drivers = 'agent/(replication|fuse|network|checkers|hypervisor|modules|scripts)/';
const outsideTests = { pathNot: '\\.test\\.ts$' };

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'contract-imports-nothing',
      comment: 'Everyone may import the contract, so it may lean on nothing but zod.',
      severity: 'error',
      from: { path: '^agent/contract/', ...outsideTests },
      to: { pathNot: ['^agent/contract/', '(^|/)node_modules/zod/'] },
    },
    {
      name: 'core-imports-contract-only',
      comment: 'The core is pure: the same code runs in the simulator and in production.',
      severity: 'error',
      from: { path: '^agent/core/', ...outsideTests },
      to: { pathNot: ['^agent/core/', '^agent/contract/'] },
    },
    {
      name: 'drivers-below-runtime',
      comment: 'A driver is handed what it needs; it never reaches for the runtime or the main program.',
      severity: 'error',
      from: { path: '^agent/(contract|core|sys|replication|fuse|network|checkers|hypervisor|modules|scripts)/' },
      to: { path: '^agent/(runtime/|main\\.ts$)' },
    },
    {
      name: 'sys-below-drivers',
      comment: 'System calls know nothing of what they are used for.',
      severity: 'error',
      from: { path: '^agent/sys/', ...outsideTests },
      to: { path: '^agent/(?!sys/|contract/|core/)' },
    },
    {
      name: 'drivers-through-index',
      comment: 'A driver sees another driver only through its index.ts.',
      severity: 'error',
      from: { path: `^${drivers}` },
      to: { path: `^${drivers}`, pathNot: ['^agent/$1/', '^agent/[^/]+/index\\.ts$'] },
    },
    {
      name: 'runtime-below-main',
      comment: 'The runtime is started by the main program and never starts it.',
      severity: 'error',
      from: { path: '^agent/runtime/' },
      to: { path: '^agent/main\\.ts$' },
    },
    {
      name: 'platform-files-from-their-factory',
      comment: 'vip-linux.ts is imported by vip.ts (its factory), by its own folder’s index.ts, and by nobody else.',
      severity: 'error',
      from: { path: '^(agent/.+)\\.ts$', pathNot: ['/index\\.ts$', '-linux', '-windows'] },
      to: { path: '^agent/.+-(linux|windows)\\.ts$', pathNot: '^$1-(linux|windows)\\.ts$' },
    },
    {
      name: 'agent-stays-on-the-server',
      comment: 'The agent knows nothing of the app.',
      severity: 'error',
      from: { path: '^agent/' },
      to: { path: '^(src-main|src-renderer|resources)/' },
    },
    {
      name: 'main-imports-contract-only',
      comment: 'The app speaks to agents in messages; their insides are not its business.',
      severity: 'error',
      from: { path: '^src-main/' },
      to: { path: '^(agent/(?!contract/)|src-renderer/)' },
    },
    {
      name: 'renderer-imports-contracts-only',
      comment: 'A screen knows messages, not machines.',
      severity: 'error',
      from: { path: '^src-renderer/', ...outsideTests },
      to: { path: '^(agent/(?!contract/)|src-main/(?!app-api/)|resources/)' },
    },
    {
      name: 'renderer-without-node',
      comment: 'The renderer runs in a browser.',
      severity: 'error',
      from: { path: '^src-renderer/', ...outsideTests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'app-api-for-both-sides',
      comment: 'Both the renderer and the main process import it, so it may use neither node nor the main process.',
      severity: 'error',
      from: { path: '^src-main/app-api/', ...outsideTests },
      to: { path: '^src-main/(?!app-api/)' },
    },
    {
      name: 'app-api-without-node',
      comment: 'See app-api-for-both-sides.',
      severity: 'error',
      from: { path: '^src-main/app-api/', ...outsideTests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'nothing-imports-test',
      comment: 'What ships does not depend on what tests it.',
      severity: 'error',
      from: { path: '^(agent|src-main|src-renderer|resources)/', ...outsideTests },
      to: { path: ['^test/', '\\.test\\.ts$'] },
    },
    {
      name: 'ffi-only-in-sys',
      comment: 'node:ffi is the only unsafe code, and the app must run without it inside Electron.',
      severity: 'error',
      // Tests cut the power of a disk with one ioctl, and look at files as the kernel sees them; they never ship.
      from: { pathNot: '^(agent/sys|test)/' },
      to: { path: '^(node:)?ffi$' },
    },
    {
      name: 'no-cycles',
      comment: 'A cycle hides which of the two knows the other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'nothing-unresolved',
      comment: 'An import that cannot be found would escape every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(node:)?ffi$' },
    },
    {
      name: 'only-declared-packages',
      comment: 'A package that came with another one may go with it.',
      severity: 'error',
      from: { path: '^(agent|src-main|src-renderer)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'svelte', 'node', 'default', 'types'],
    },
    builtInModules: { add: ['ffi', 'node:ffi', 'node:sqlite'] },
  },
};

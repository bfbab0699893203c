/** Everything of Linux that the agent calls directly. Results are zero or more, or `-errno`; names below a volume are bytes. */
export * from './attributes.ts';
export * from './credentials.ts';
export * from './descriptor-store.ts';
export * from './errno.ts';
export * from './file.ts';
export * from './filesystem.ts';
export * from './handle.ts';
export * from './memory.ts';
export * from './mount.ts';
export * from './process.ts';
export * from './shared-memory.ts';
export * from './sync-queue.ts';
export * from './xattr.ts';

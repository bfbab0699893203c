/** For tests: a process that is killed after so many stores into memory that outlives it. */

export class Killed extends Error {}

/**
 * Runs `life` again and again, each time one store longer, until it survives; after each death `successor` looks at what is there. Stores are those of single words,
 * and each call that writes a number or copies bytes.
 */
export function killAtEveryStore<T>(
  prepare: () => T,
  life: (world: T) => void,
  successor: (world: T) => void,
  { first = 0, stride = 1 } = {},
): number {
  for (let stores = first; ; stores += stride) {
    const world = prepare();
    const survived = runWithStores(stores, () => {
      life(world);
    });
    successor(world);
    if (survived) return stores;
  }
}

/** False: killed. */
function runWithStores(storesMax: number, run: () => void): boolean {
  let left = storesMax;
  const store = (): void => {
    if (left === 0) throw new Killed();
    left -= 1;
  };
  const restore = [watchWords('Uint32Array', store), watchWords('Float64Array', store), ...watchBuffer(store)];
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof Killed) return false;
    throw error;
  } finally {
    for (const one of restore) one();
  }
}

/** Arrays that are made meanwhile tell of each element that is set. */
function watchWords(name: 'Uint32Array' | 'Float64Array', store: () => void): () => void {
  const original = globalThis[name];
  const watched = new Proxy(original, {
    construct: (target, args) => {
      const real = Reflect.construct(target, args) as Uint32Array;
      if (!(args[0] instanceof ArrayBuffer)) return real;
      return new Proxy(real, {
        get: (array, key) => {
          const value: unknown = Reflect.get(array, key, array);
          return typeof value === 'function' ? (value.bind(array) as unknown) : value;
        },
        set: (array, key, value) => {
          store();
          return Reflect.set(array, key, value, array);
        },
      });
    },
  });
  Object.assign(globalThis, { [name]: watched });
  return () => {
    Object.assign(globalThis, { [name]: original });
  };
}

const writers = ['writeDoubleLE', 'writeUInt32LE', 'writeUInt16LE', 'writeUInt8', 'copy'] as const;

function watchBuffer(store: () => void): (() => void)[] {
  return writers.map((name) => {
    const original = Reflect.get(Buffer.prototype, name) as (...args: unknown[]) => unknown;
    Object.assign(Buffer.prototype, {
      [name](this: Buffer, ...args: unknown[]): unknown {
        store();
        return original.apply(this, args);
      },
    });
    return () => {
      Object.assign(Buffer.prototype, { [name]: original });
    };
  });
}

/** How much of this machine other processes take just now, for promises in seconds that were made of a machine at rest. */
import { Worker } from 'node:worker_threads';

const spin = `
  const { parentPort } = require('node:worker_threads');
  const cpu = process.threadCpuUsage();
  const until = performance.now() + 250;
  while (performance.now() < until);
  const used = process.threadCpuUsage(cpu);
  parentPort.postMessage(250_000 / (used.user + used.system));`;

function spinning(): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(spin, { eval: true });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Beyond it the machine is too busy for any promise: what fails then should. */
const factorMax = 3;

/** 1: both cores were free for a quarter of a second; 2: half of them went to others. Ask when what is measured has ended. */
export async function slowdown(): Promise<number> {
  const factors = await Promise.all([spinning(), spinning()]);
  return Math.min(factorMax, Math.max(1, (factors[0] + factors[1]) / 2));
}

/** The two-server wizard: its questions, what the answers mean, what it does. */
import { answering } from './wizard/answering.ts';
import { checkers } from './wizard/checkers.ts';
import { frame } from './wizard/frame.ts';
import { installing } from './wizard/installing.ts';
import { obstacles } from './wizard/obstacles.ts';
import { problems } from './wizard/problems.ts';
import { reaching } from './wizard/reaching.ts';

export const wizard = {
  ...frame,
  ...reaching,
  ...answering,
  ...installing,
  checkers,
  obstacles,
  problems,
};

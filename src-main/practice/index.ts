export { labCommandOf, practiceLabName } from './lab.ts';
export { practiceObstacle, rootLine, thisMachine, type Obstacle } from './obstacle.ts';
export { createPracticePart, type PracticeOptions } from './practice-part.ts';
export { rehearse, type Rehearsed, type RehearsalOptions } from './rehearsal.ts';

// Run by scripts/build-programs.mjs: makes the workflows' bundle and prints its path.
import { workflowBundle } from './workflow-bundle.ts';

console.log(await workflowBundle());

// Loaded before a process of Odette by the flood benchmark: SIGUSR2 collects its garbage, so that what it holds can be told from what V8 has not
// tidied up yet.
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');
// What the first one lets go of keeps more alive until it is finalized.
process.on('SIGUSR2', () => {
  for (const afterMs of [0, 500, 1000]) setTimeout(collect, afterMs);
});

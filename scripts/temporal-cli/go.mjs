// The Temporal command line built from source: go.mod and go.sum beside this file pin every module.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULE = fileURLToPath(new URL('.', import.meta.url));
const PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
const VERSION_VARIABLE = 'github.com/temporalio/cli/internal/temporalcli.Version';

export const buildWithGo = {
  title: 'a build with Go from pinned modules',
  patienceSeconds: 2400,

  async get({ folder, version, run, say }) {
    await run('go', ['version'], { patienceSeconds: 10 });
    // Fetched first and apart, so that a module proxy that does not respond is known soon.
    await run('go', ['mod', 'download'], { cwd: MODULE, patienceSeconds: 300, say });
    const file = path.join(folder, 'temporal');
    await run(
      'go',
      ['build', '-trimpath', '-ldflags', `-s -w -X ${VERSION_VARIABLE}=${version}`, '-o', file, PACKAGE],
      { cwd: MODULE, patienceSeconds: 2000, env: { GOWORK: 'off', CGO_ENABLED: '0' }, say },
    );
    return file;
  },
};

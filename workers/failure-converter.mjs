// Encodes messages and stack traces of failures with the payload codec, instead of leaving them readable in histories.
// JavaScript, because the SDK loads it with `require` in clients and workers, and webpack bundles it for workflows.
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });

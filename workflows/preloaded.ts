// What all runs on a worker share: evaluated once for each of its threads instead of once for each run, and frozen. Only what has no state.
import '../domain/certificate-attempts.ts';
import '../domain/certificate-plan.ts';
import '../domain/device-error-classes.ts';
import '../domain/failures.ts';
import '../domain/lanes.ts';
import '../domain/markdown.ts';
import '../domain/patience.ts';
import '../domain/profile-identifier.ts';
import '../domain/renewal-policy.ts';
import '../domain/retries.ts';
import '../domain/rollout-action.ts';
import '../domain/rollout-step.ts';
import '../domain/setup-answer.ts';
import '../domain/setup-guide.ts';
import '../domain/setup-wizard.ts';

// The SDK takes a stack of each promise that a workflow makes, for a query that nobody sends, and reads the source map for each of its frames.
// An error still says where it was thrown, and by whom.
Error.stackTraceLimit = 2;

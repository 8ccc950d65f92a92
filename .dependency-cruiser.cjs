// Who may import whom (ARCHITECTURE.md, "The rooms"). A planted violation must make `npm run check` fail: test/architecture.test.ts.
const rooms = [
  'domain',
  'adapters',
  'workflows',
  'activities',
  'api',
  'workers',
  'web',
  'cli',
  'sandbox',
  'test',
];
const TESTS = '\\.test\\.tsx?$';
const outside = (...allowed) => `^(${rooms.filter((room) => !allowed.includes(room)).join('|')})/`;
const room = (name) => ({ path: `^${name}/`, pathNot: TESTS });

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      // Workflows take the types of the activities, and activities start workflows: that one circle is Temporal's.
      name: 'no-cycles-of-types',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { pathNot: '^activities/' } },
    },
    {
      name: 'nobody-imports-test',
      severity: 'error',
      from: { pathNot: '^(test/|vitest\\.config)|' + TESTS },
      to: { path: '^test/' },
    },
    {
      // It is evidence only as long as it shares no code, and so no assumption, with what it tries.
      name: 'the-second-device-is-written-apart',
      severity: 'error',
      from: { path: '^test/second-device/', pathNot: TESTS },
      to: { pathNot: '^(test/(second-device/|openssl\\.ts)|node_modules/|[a-z0-9_]+$)' },
    },
    { name: 'domain-is-pure', severity: 'error', from: room('domain'), to: { pathNot: '^domain/' } },
    {
      name: 'adapters-know-the-domain-only',
      severity: 'error',
      from: room('adapters'),
      to: { path: outside('domain', 'adapters') },
    },
    {
      name: 'adapters-keep-to-their-own-folder',
      severity: 'error',
      from: { path: '^adapters/([^/]+)/', pathNot: TESTS },
      to: { path: '^adapters/', pathNot: '^adapters/($1|pki|outward)/' },
    },
    {
      name: 'adapters-know-no-temporal-no-express',
      severity: 'error',
      from: room('adapters'),
      to: { path: 'node_modules/(@temporalio|express)/' },
    },
    {
      // Its index and its `Client` are twice as large, and do what Odette may not (docs/decisions/0003).
      name: 'okta-sdk-in-its-adapter-alone',
      severity: 'error',
      from: { path: `^(?!adapters/okta/)(${rooms.join('|')})/`, pathNot: TESTS },
      to: { path: 'node_modules/@okta/' },
    },
    {
      name: 'okta-sdk-without-its-client',
      severity: 'error',
      from: room('adapters/okta'),
      to: { path: 'node_modules/@okta/okta-sdk-nodejs/src/(?!generated/|types/)' },
    },
    {
      name: 'workflows-take-only-types-of-activities',
      severity: 'error',
      from: room('workflows'),
      to: { path: '^activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-know-domain-and-workflows',
      severity: 'error',
      from: room('workflows'),
      to: { path: outside('domain', 'workflows', 'activities') },
    },
    {
      name: 'workflows-take-only-the-workflow-package',
      severity: 'error',
      from: room('workflows'),
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'core'],
        pathNot: 'node_modules/@temporalio/(workflow|common)/',
      },
    },
    {
      name: 'activities-know',
      severity: 'error',
      from: room('activities'),
      to: { path: outside('domain', 'adapters', 'workflows', 'activities') },
    },
    {
      name: 'activities-know-only-messages-and-starts-of-workflows',
      severity: 'error',
      from: room('activities'),
      to: { path: '^workflows/', pathNot: '^workflows/(messages|starts)\\.ts$' },
    },
    {
      // Who records what a device or an admin says also derives the device's trust, in the same transaction.
      name: 'api-knows',
      severity: 'error',
      from: room('api'),
      to: {
        path: outside('domain', 'adapters', 'workflows', 'api'),
        pathNot: '^activities/(refresh-trust|conclude-check|signal-response)\\.ts$',
      },
    },
    {
      name: 'api-knows-only-messages-and-starts-of-workflows',
      severity: 'error',
      from: room('api'),
      to: {
        path: '^workflows/',
        pathNot: '^workflows/(messages|message-bodies|starts)\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'contract-is-zod-and-domain',
      severity: 'error',
      from: { path: '^api/contract', pathNot: TESTS },
      to: { pathNot: '^(domain/|api/contract|node_modules/zod/)' },
    },
    {
      name: 'workers-know',
      severity: 'error',
      from: room('workers'),
      to: { path: outside('domain', 'adapters', 'workflows', 'activities', 'api', 'workers') },
    },
    {
      name: 'nobody-imports-workers',
      severity: 'error',
      from: { pathNot: '^(workers|test)/|' + TESTS },
      to: { path: '^workers/' },
    },
    {
      name: 'sandbox-knows-the-protocol',
      severity: 'error',
      from: room('sandbox'),
      to: { path: '^(adapters/(?!mdm/|pki/)|workflows/|activities/|workers/|web/|cli/|api/(?!contract))' },
    },
    {
      name: 'sandbox-web-and-cli-take-only-types-of-contract',
      severity: 'error',
      from: { path: '^(sandbox|web|cli)/', pathNot: TESTS },
      to: { path: '^api/', pathNot: '^api/contract/client\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'web-and-cli-know-the-contract-only',
      severity: 'error',
      from: { path: '^(web|cli)/', pathNot: TESTS },
      to: { path: '^(adapters|workflows|activities|workers|sandbox|api/(?!contract))' },
    },
    {
      name: 'the-product-knows-no-sandbox',
      severity: 'error',
      from: { path: '^(domain|adapters|workflows|activities|api|workers|web|cli)/', pathNot: TESTS },
      to: { path: '^sandbox/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules/\\.|\\.git)(/|$)' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.mjs', '.cjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};

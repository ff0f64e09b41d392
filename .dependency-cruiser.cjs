// The rooms of src/ in the order of the flow: a room imports only rooms that come before it.
const rooms = [
  'platform', 'kernels', 'volume', 'formats', 'evaluate', 'learn', 'preprocess', 'simulate', 'network', 'methods',
  'lesions', 'report', 'web', 'run', 'cohort', 'server', 'cli',
]

module.exports = {
  forbidden: [
    ...rooms.slice(0, -1).map((room, at) => ({
      name: `${room}-imports-only-what-comes-before`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${rooms.slice(at + 1).join('|')})/`, dependencyTypesNot: ['type-only'] },
    })),
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'only-outer-rooms-use-node',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(platform/node\\.ts|run/|cohort/|server/|cli/)' },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'src/kernels/assembly' },
  },
}

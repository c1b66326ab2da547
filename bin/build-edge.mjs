// One archive for a gatehouse: `npm run build:edge [-- --arch x64] [--out FOLDER]`. It needs Node and glibc there, and no npm.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { give, root } from './prepare.mjs'

const ARCHITECTURES = ['x64', 'arm64']
const { values } = parseArgs({ options: { arch: { type: 'string', multiple: true }, out: { type: 'string' } } })
const wanted = values.arch ?? ARCHITECTURES
const out = values.out ?? join(root, 'dist', 'edge')
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The native parts: by which module they are loaded, and where their binary lies in which package of the lock file. */
const NATIVES = [
  {
    name: 'lmdb',
    loader: /^node-gyp-build-optional-packages$/,
    package: (arch) => `@lmdb/lmdb-linux-${arch}`,
    file: () => 'node.napi.glibc.node',
  },
  {
    name: 'serialport',
    loader: /^node-gyp-build$/,
    package: () => '@serialport/bindings-cpp',
    file: (arch) => `prebuilds/linux-${arch}/@serialport+bindings-cpp${arch === 'arm64' ? '.armv8' : ''}.glibc.node`,
  },
  {
    name: 'argon2',
    loader: /^@node-rs\/argon2$/,
    package: (arch) => `@node-rs/argon2-linux-${arch}-gnu`,
    file: (arch) => `argon2.linux-${arch}-gnu.node`,
  },
]

/** Each loader looks for its binary in a tree of packages; here there is one place. */
const nativesBeside = {
  name: 'natives',
  setup(b) {
    // Its exports are made at run time, so that of a bundled one only the default would be seen.
    b.onResolve({ filter: /^serialport$/ }, () => ({ path: 'serialport', namespace: 'named' }))
    b.onLoad({ filter: /.*/, namespace: 'named' }, () => ({
      contents: `export { SerialPort } from '${join(root, 'node_modules/serialport/dist/index.js')}'`,
      resolveDir: root,
    }))
    for (const { name, loader } of NATIVES) {
      b.onResolve({ filter: loader }, () => ({ path: name, namespace: 'native' }))
    }
    b.onLoad({ filter: /.*/, namespace: 'native' }, ({ path }) => ({
      contents:
        path === 'argon2'
          ? `module.exports = require(__dirname + '/../native/argon2.node')`
          : `module.exports = () => require(__dirname + '/../native/${path}.node')`,
      loader: 'js',
    }))
  },
}

async function bundle(folder) {
  await build({
    entryPoints: [join(root, 'bin', 'sluice-edge.ts')],
    outdir: join(folder, 'dist'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    chunkNames: 'sluice-[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    plugins: [nativesBeside],
    // It evaluates code that names its own variables: as a module of the bundle they would be renamed, and keys of text never end (seen).
    alias: { 'ordered-binary': join(root, 'node_modules', 'ordered-binary', 'dist', 'index.cjs') },
    // Never called: they are speed-ups of ws and of protobufjs that their packages do without, and a worker of pino.
    external: ['bufferutil', 'utf-8-validate'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; import { dirname as __dirnameOf } from 'node:path'; import { fileURLToPath as __fileOf } from 'node:url'; const require = __createRequire(import.meta.url); const __filename = __fileOf(import.meta.url); const __dirname = __dirnameOf(__filename);",
    },
    legalComments: 'linked',
    logLevel: 'error',
  })
}

/** The folder of a package of the lock file: the one installed, or for another architecture the very file that the lock names. */
function folderOf(name) {
  const installed = join(root, 'node_modules', name)
  if (existsSync(installed)) return installed
  const entry = lock[`node_modules/${name}`]
  if (!entry) give(`package-lock.json does not name ${name}`)
  const cache = join(root, 'node_modules', '.cache', 'build-edge', `${name.replace('/', '-')}-${entry.version}`)
  if (existsSync(join(cache, 'package', 'package.json'))) return join(cache, 'package')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-native-'))
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', `${name}@${entry.version}`, '--json', '--pack-destination', folder], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  )
  const tarball = join(folder, packed.filename.replaceAll('/', '-').replace('@', ''))
  const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  if (integrity !== entry.integrity) give(`${name}@${entry.version} is not the file that package-lock.json names`)
  mkdirSync(cache, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', cache])
  rmSync(folder, { recursive: true })
  return join(cache, 'package')
}

// Beside a young generation of 1 MB: a heap that grows by a fifth until it is cleaned, one arena instead of two, and what is freed given back keep an agent
// of 16 devices and 208 metrics at 1 s at 86.0 MB instead of 94.4 MB in its third minute, at the same processor time (4.3 % of a core).
const LAUNCHER = `#!/bin/sh
export MALLOC_ARENA_MAX="\${MALLOC_ARENA_MAX:-1}" MALLOC_TRIM_THRESHOLD_="\${MALLOC_TRIM_THRESHOLD_:-65536}"
exec "\${SLUICE_NODE:-node}" --max-semi-space-size=1 --heap-growing-percent=20 --v8-pool-size=1 "$(dirname "$(readlink -f "$0")")/../dist/sluice-edge.mjs" "$@"
`

function fill(folder, arch) {
  mkdirSync(join(folder, 'native'), { recursive: true })
  for (const native of NATIVES) {
    const file = join(folderOf(native.package(arch)), native.file(arch))
    if (!existsSync(file)) give(`${native.package(arch)} has no ${native.file(arch)}`)
    cpSync(file, join(folder, 'native', `${native.name}.node`))
  }
  cpSync(join(root, 'edge-agent', 'profiles'), join(folder, 'edge-agent', 'profiles'), {
    recursive: true,
    filter: (f) => !f.includes('testcases'),
  })
  cpSync(join(root, 'deploy', 'systemd'), join(folder, 'systemd'), { recursive: true })
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  mkdirSync(join(folder, 'bin'), { recursive: true })
  writeFileSync(join(folder, 'bin', 'sluice'), LAUNCHER)
  chmodSync(join(folder, 'bin', 'sluice'), 0o755)
  cpSync(join(root, 'deploy', 'systemd', 'install.sh'), join(folder, 'install.sh'))
  chmodSync(join(folder, 'install.sh'), 0o755)
  rmSync(join(folder, 'systemd', 'install.sh'))
  // So that Node reads the binaries' neighbours as modules, and asks no folder above.
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: 'sluice-edge', version, type: 'module', private: true }, null, 2)}\n`,
  )
}

for (const arch of wanted) {
  if (!ARCHITECTURES.includes(arch)) give(`--arch is ${arch}: use ${ARCHITECTURES.join(' or ')}`)
  const name = `sluice-edge-${version}-linux-${arch}`
  const folder = join(out, name)
  rmSync(folder, { recursive: true, force: true })
  await bundle(folder)
  fill(folder, arch)
  const archive = join(out, `${name}.tar.gz`)
  execFileSync('tar', ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-czf', archive, '-C', out, name])
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`
  const unpacked = Number(execFileSync('du', ['-sb', folder], { encoding: 'utf8' }).split('\t')[0])
  process.stdout.write(`${archive}: ${mb(readFileSync(archive).length)}, ${mb(unpacked)} unpacked\n`)
}

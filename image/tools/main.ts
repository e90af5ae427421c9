/** `npm run image`: from a bare Debian to `image/output`. */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Archive, findArchive, PackageIndex, prepareApt, release } from './archive.ts';
import { bundledPackages } from './bundled-packages.ts';
import { logOf, prune } from './cache.ts';
import { emulationOf } from './emulation.ts';
import { checkHost, hostPackages } from './host-check.ts';
import { makeDevelopmentKeys, readKeys } from './keys.ts';
import { lockCache } from './lock.ts';
import { commitTime, hasUncommittedChanges, runMkosi, takeResults, workDirectory } from './mkosi.ts';
import { nativeModule } from './native-module.ts';
import { pinnedNode } from './node.ts';
import { architectureOf, type BuildOptions, defaultOutput, parseOptions } from './options.ts';
import { forgetKept, keptPackages, outdated, removeUnusedDownloads } from './packages.ts';
import { step } from './programs.ts';
import { makeRelease } from './release.ts';
import { usrRootHash, usrSize } from './results.ts';
import { toolsRoot, withScratch } from './roots.ts';
import { type Contents, manifestOf, sbomOf } from './sbom.ts';
import { elapsedMs, part, runMain, say, UsageError, UserError } from './sentence.ts';
import { programNames } from './service-names.ts';
import { bundleOf, stage } from './stage.ts';
import { formatDuration, formatSize } from './units.ts';
import { kernelRelease, signModules, zfsFor } from './zfs.ts';

const image = join(import.meta.dirname, '..');
const top = join(image, '..');
/** This machine's architecture. */
const own = architectureOf(process.arch);

await runMain(async () => {
  const options = parseOptions(process.argv.slice(2), {
    directory: process.env['INIT_CWD'] ?? process.cwd(),
    now: new Date(),
    machine: process.arch,
    output: defaultOutput,
    print: (text) => process.stdout.write(text),
  });
  if (options === undefined) return;
  checkHost(false);
  // What takes a moment to find out is said before anything is done.
  if (options.architecture !== own && !options.onlyTree)
    throw new UsageError(
      `--arch: the modules of ZFS for ${options.architecture} are built on such a machine; this one makes the tree without them, with --only-tree.`,
    );
  if (options.keys !== undefined) readKeys(options.keys, process.env);
  lockCache();
  await part('packages of this machine, and the services', async (now) => {
    now('bin/setup');
    await step(['bin/setup', ...hostPackages], { log: logOf('setup'), directory: top });
    now('bin/build');
    await step(['bin/build'], { log: logOf('build'), directory: top });
    now('package lists');
    await prepareApt();
  });
  checkHost();
  await build(options);
});

async function build(options: BuildOptions): Promise<void> {
  const { architecture, version } = options;
  if (hasUncommittedChanges())
    say('this checkout has changes that are in no commit: nobody else can make the same image.');
  const archive = findArchive(architecture);
  const ownArchive = findArchive(own);
  const ownIndex = await readIndex(ownArchive);
  const index = architecture === own ? ownIndex : await readIndex(archive);
  const tools = await toolsRoot(ownArchive, ownIndex);
  const directory = options.keys ?? join(image, 'keys');
  if (options.keys === undefined) await makeDevelopmentKeys(tools, directory);
  const keys = readKeys(directory, process.env);
  const node = await pinnedNode(architecture);
  const native = await nativeModule(architecture);
  const emulation = await emulationOf(architecture, ownIndex);
  const kernel = kernelRelease(archive, index);
  const zfs = architecture === own ? await zfsFor(kernel, archive, index) : undefined;
  checkKept(options, index);
  const results = await withScratch(async (scratch) => {
    const modules = join(scratch, 'modules');
    mkdirSync(modules);
    if (zfs !== undefined) await signModules(tools, zfs.modules, keys, modules);
    const tree = join(scratch, 'stage');
    const { imageServer, onlyTree } = options;
    stage(tree, {
      node: node.program,
      native: native.files,
      kernelRelease: kernel,
      modules,
      keys: directory,
      imageServer,
    });
    return part(`image ${version}`, (now) =>
      runMkosi({
        architecture,
        archive,
        tools,
        emulation,
        version,
        kernelRelease: kernel,
        keys,
        stage: tree,
        onlyTree,
        now,
      }),
    );
  });
  const debian = checkKept(options, index, true);
  if (options.onlyTree || zfs === undefined) {
    say(`the tree is ${join(results, `IncusOS_${version}`)}, until the next build`);
    return;
  }
  takeResults(results, version, options.output);
  const bundles = programNames.map((name) => bundleOf(name));
  await describe(options.output, {
    version,
    architecture,
    release,
    archive: index.snapshot(),
    commitTime: commitTime(),
    debian,
    modules: zfs.source,
    npm: [node.package, native.package, ...bundledPackages(bundles)],
  });
  if (options.release)
    await part('compressed files of the release', (now) =>
      makeRelease(options.output, version, architecture, now),
    );
  for (const name of prune([
    'tools',
    'zfs',
    'mmdebstrap',
    'node',
    'native',
    'qemu',
    'neighbour',
    'neighbour-memory',
  ]))
    say(`removed ${name} from the cache`);
  summarize(options.output);
}

/** The archive's lists of packages. @throws UserError naming the mirror when it can't be reached. */
async function readIndex(archive: Archive): Promise<PackageIndex> {
  return part(`the archive's lists of packages for ${archive.architecture}`, () =>
    PackageIndex.update(archive),
  );
}

/**
 * Makes sure that the kept packages are the archive's newest.
 * @param mustBe they were installed just now.
 * @throws UserError when they aren't although they must be.
 */
function checkKept(
  { architecture, fresh }: BuildOptions,
  index: PackageIndex,
  mustBe = false,
): Contents['debian'] {
  const work = workDirectory(architecture);
  const kept = keptPackages(work);
  const all = [...kept.main, ...kept.initrd];
  const changed = outdated(all, index.candidates([...new Set(all.map(({ name }) => name))]));
  const [first] = changed;
  if (mustBe) {
    if (first !== undefined) {
      forgetKept(work);
      throw new UserError(
        `The archive changed while the image was made: ${first.name} is no longer ${first.version}. Build it again.`,
      );
    }
    removeUnusedDownloads(work, all);
  } else if (fresh || first !== undefined) {
    forgetKept(work);
    say(
      first === undefined
        ? 'Debian packages: anew'
        : `Debian packages: anew, for the archive has another ${first.name} than ${first.version}` +
            (changed.length > 1 ? ` and ${changed.length - 1} other changes` : ''),
    );
  } else say(all.length === 0 ? 'Debian packages: none yet' : `Debian packages: ${all.length} cached`);
  return kept;
}

/** Writes the manifest and the bill of materials beside the image. */
async function describe(output: string, contents: Contents): Promise<void> {
  const name = join(output, `IncusOS_${contents.version}`);
  writeFileSync(`${name}.manifest.json`, manifestOf(contents));
  writeFileSync(`${name}.cdx.json`, await sbomOf(contents));
}

function summarize(output: string): void {
  for (const name of readdirSync(output).toSorted()) {
    const path = join(output, name);
    const { size, blocks } = statSync(path);
    if (!statSync(path).isFile()) continue;
    process.stdout.write(`  ${name}  ${formatSize(size)} (${formatSize(blocks * 512)} on disk)\n`);
  }
  process.stdout.write(`/usr: ${formatSize(usrSize(output))}, root hash ${usrRootHash(output)}\n`);
  process.stdout.write(`${output} is complete after ${formatDuration(elapsedMs())}.\n`);
}

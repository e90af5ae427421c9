/** `npm run image`: from a bare Debian to `image/output`. */
import { existsSync, readdirSync, statSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findArchive } from './archive.ts';
import { cacheDirectory } from './cache.ts';
import { checkHost } from './host-check.ts';
import { ensureKeys } from './keys.ts';
import { runMkosi } from './mkosi.ts';
import { toolsRoot, withScratch } from './roots.ts';
import { runMain, say, UserError } from './sentence.ts';
import { stage } from './stage.ts';
import { kernelWithZfs, signModules } from './zfs.ts';

const usage = `npm run image [-- --version V --keys DIR --arch amd64 --image-server URL --output DIR]

  --version V         YYYYMMDDHHMM; now, in UTC, unless given
  --keys DIR          secure-boot, verity and pcr as .key and .crt, root.pem and update.pem; keys for development
                      in image/keys unless given
  --arch ARCH         amd64 or arm64; this machine's unless given
  --image-server URL  where the installed system's releases come from
  --output DIR        image/output unless given; what it holds of another version is removed
`;

const image = join(import.meta.dirname, '..');

/** The minute, as the versions of images are written. */
function versionOf(now: Date): string {
  return now.toISOString().replaceAll(/\D/gu, '').slice(0, 12);
}

function architectureOf(machine: string): string {
  return machine === 'arm64' ? 'arm64' : 'amd64';
}

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      version: { type: 'string' },
      keys: { type: 'string' },
      arch: { type: 'string' },
      'image-server': { type: 'string' },
      output: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  const version = values.version ?? versionOf(new Date());
  if (!/^\d{12}$/u.test(version))
    throw new UserError(`the version ${version} is not of the form YYYYMMDDHHMM.`);
  const architecture = values.arch ?? architectureOf(process.arch);
  if (!['amd64', 'arm64'].includes(architecture))
    throw new UserError(`there is no image for ${architecture}; amd64 and arm64 are.`);
  checkHost();
  const keys =
    values.keys === undefined ? join(image, 'keys') : resolve(process.env['INIT_CWD'] ?? '.', values.keys);
  if (values.keys !== undefined && !existsSync(keys)) throw new UserError(`there is no directory ${keys}.`);
  mkdirSync(keys, { recursive: true, mode: 0o700 });

  const archive = findArchive(architecture);
  const tools = await toolsRoot(findArchive(architectureOf(process.arch)));
  await ensureKeys(tools, keys, values.keys === undefined);
  const kernel = await kernelWithZfs(archive);
  const output =
    values.output === undefined
      ? join(image, 'output')
      : resolve(process.env['INIT_CWD'] ?? '.', values.output);
  await withScratch(async (scratch) => {
    say(`signing the modules of ZFS for Linux ${kernel.release} …`);
    const modules = join(scratch, 'modules');
    await signModules(tools, kernel, keys, modules);
    const tree = join(scratch, 'stage');
    stage(tree, {
      architecture,
      kernelRelease: kernel.release,
      modules,
      keys,
      imageServer: values['image-server'],
    });
    say(
      `building IncusOS ${version}; mkosi's log is ${join(cacheDirectory(), `mkosi-${architecture}/build.log`)} …`,
    );
    await runMkosi({
      archive,
      tools,
      version,
      kernelRelease: kernel.release,
      keys,
      stage: tree,
      output,
    });
  });
  say(`done: ${output}`);
  for (const name of readdirSync(output).toSorted()) {
    const { size, blocks } = statSync(join(output, name));
    process.stdout.write(`  ${name}  ${mebibytes(size)} MiB (${mebibytes(blocks * 512)} on disk)\n`);
  }
});

function mebibytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}

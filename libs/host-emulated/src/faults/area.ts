/** Faults that can be had on request. */
import type { Area } from '../area.ts';

function absolute(path: string | undefined): string {
  if (path === undefined || !path.startsWith('/'))
    throw new Error('the directory is an absolute path of the machine');
  return path.replace(/\/+$/u, '');
}

export const faults: Area = {
  name: 'faults',
  tools: {},
  populate: () => Promise.resolve(),
  powerOff: () => Promise.resolve(),
  commands: [
    {
      name: 'disk fill',
      summary: 'makes every write below a directory fail for lack of space',
      args: [
        { name: '<directory>', summary: 'a directory of the machine, such as /var/lib/incus-os/network' },
      ],
      run: (machine, [path]) =>
        machine.change(({ faults: { full_directories } }) => {
          const directory = absolute(path);
          if (!full_directories.includes(directory)) full_directories.push(directory);
          return `${directory} is full`;
        }),
    },
    {
      name: 'disk free',
      summary: 'ends what `disk fill` began',
      args: [{ name: '<directory>', summary: 'the directory' }],
      run: (machine, [path]) =>
        machine.change((description) => {
          const directory = absolute(path);
          const others = description.faults.full_directories.filter((full) => full !== directory);
          if (others.length === description.faults.full_directories.length)
            throw new Error(`${directory} isn't full`);
          description.faults.full_directories = others;
          return `${directory} has space again`;
        }),
    },
  ],
};

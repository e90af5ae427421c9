/** The unified kernel images in the ESP and what the boot loader makes of them. */

export interface BootImage {
  readonly release: string;
  /** Boots left before it is given up; absent once it is known to be good. */
  readonly triesLeft?: number;
}

/**
 * The images of an operating system among the files of `/boot/EFI/Linux`, in the boot loader's order: newest first,
 * those without tries left last (systemd-boot(7), Automatic Boot Assessment).
 * @param name of the operating system, such as `IncusOS`.
 */
export function bootImages(files: readonly string[], name: string): BootImage[] {
  const images: BootImage[] = [];
  for (const file of files) {
    if (!file.startsWith(`${name}_`)) continue;
    const match = /^(\d+)(?:\+(\d+)(?:-\d+)?)?\.efi$/u.exec(file.slice(name.length + 1));
    if (match?.[1] === undefined) continue;
    images.push({ release: match[1], ...(match[2] === undefined ? {} : { triesLeft: Number(match[2]) }) });
  }
  return images.toSorted(
    (a, b) => Number(a.triesLeft === 0) - Number(b.triesLeft === 0) || b.release.localeCompare(a.release),
  );
}

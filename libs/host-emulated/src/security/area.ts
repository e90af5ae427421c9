/** Firmware with Secure Boot, a TPM 2.0, and the encryption of block devices. */
import type { Area } from '../area.ts';
import { boot, forgetBoot } from './boot.ts';
import { commands } from './commands.ts';
import { cryptenroll } from './cryptenroll.ts';
import { cryptsetup } from './cryptsetup.ts';

export const security: Area = {
  name: 'security',
  tools: { cryptsetup, 'systemd-cryptenroll': cryptenroll },
  populate: boot,
  powerOff: forgetBoot,
  commands,
};

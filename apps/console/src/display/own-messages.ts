/** Messages that follow from what the machine is doing, which no other service has to ask for. */
import type { MachineFacts } from '../machine/machine.service.ts';
import type { Message } from '../screen/view.ts';

export function ownMessages({ environment, networkChanges }: MachineFacts, stopping: boolean): Message[] {
  if (stopping) return [{ title: 'Stopping', text: 'IncusOS is being stopped or restarted.' }];
  const messages: Message[] = [];
  if (networkChanges) messages.push({ title: 'Network', text: 'A network configuration is being applied.' });
  const { os_name: name = '', os_version: running = '', os_version_next: next = '' } = environment ?? {};
  if (next !== '' && next !== running)
    messages.push({ title: 'Update', text: `${name} ${next} is in place and starts with the next reboot.` });
  return messages;
}

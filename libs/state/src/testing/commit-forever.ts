/** Commits one change after the other until it is killed; each line it writes names a commit that is through. */
import { LocalFiles, LocalPrograms } from '@incusos/host';
import { openState } from '../state-store.ts';
import { counterState } from './counter-state.ts';

const [root = '/nowhere'] = process.argv.slice(2);
const store = await openState({ files: new LocalFiles(root), programs: new LocalPrograms() }, counterState);
for (;;) {
  const { count } = await store.commit('count on', (state) => {
    const count = state.count + 1;
    return { count, padding: 'x'.repeat(count % 5000) };
  });
  process.stdout.write(`${count}\n`);
}

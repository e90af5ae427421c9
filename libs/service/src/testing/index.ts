/** What tests of several services need. */
export { bundlePrograms } from './bundle-programs.ts';

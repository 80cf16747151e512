// The errors of the protocol, for modules that need nothing else of it.

export { CanceledError, EditError, orCanceled, throwIfCanceled } from '../../protocol/errors.ts';

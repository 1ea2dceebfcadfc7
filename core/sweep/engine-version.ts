/**
 * Raise it whenever an object that was clean may be judged otherwise, or its health: what earlier checks remember of
 * objects that did not change since would hide the difference. A test tells when the code that judges has changed.
 */
export const engineVersion = 4;

const { PATH = '', NODE_COMPILE_CACHE } = process.env;

/** Nothing of the person who runs the tests but the PATH. What was compiled before is loaded: half of a start. */
export const bareEnvironment: Readonly<Record<string, string>> = {
  PATH,
  ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }),
};

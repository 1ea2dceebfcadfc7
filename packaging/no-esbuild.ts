/** Stands in for esbuild in the npm package, which brings functions and dashboard bundled: nothing asks for it there. */
function none(): never {
  throw new Error(
    'this package brings its bundles and builds none: install it again, a part of it is missing',
  );
}

export { none as build, none as buildSync };

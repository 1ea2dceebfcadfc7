/** Saves a picture as it is drawn, for a ticket or a page of documentation. */
export function saveSvg(svg: SVGSVGElement | null, name: string): void {
  if (svg === null) return;
  save(new Blob([textOf(svg)], { type: 'image/svg+xml' }), `${name}.svg`);
}

const sharpness = 2;
/** Of a side, in pixels: what every browser can draw on. */
const mostPixels = 16_000;

export async function savePng(svg: SVGSVGElement | null, name: string): Promise<void> {
  if (svg === null) return;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(textOf(svg))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  const [width, height] = [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height];
  const scale = Math.min(sharpness, mostPixels / width, mostPixels / height);
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => {
    if (blob !== null) save(blob, `${name}.png`);
  }, 'image/png');
}

/** In light colours and full size: outside of the page there is no style sheet that would say others. */
function textOf(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.removeAttribute('style');
  return new XMLSerializer().serializeToString(copy).replaceAll(/var\(--[\w-]+, (#[\da-f]{6})\)/g, '$1');
}

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

// Returns what has too little contrast (WCAG 2.2: 1.4.3 for text, 1.4.11 for graphics), each as a sentence.
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const paint = (layers) => {
    canvas.fillStyle = "white";
    canvas.fillRect(0, 0, 1, 1);
    for (const { color, opacity } of layers) {
      canvas.globalAlpha = opacity;
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
    }
    canvas.globalAlpha = 1;
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const style = (element) => getComputedStyle(element);
  const isColor = (value) => value && value !== "none" && !value.startsWith("url(") && !/^rgba.*, 0\)$/.test(value);
  const chain = (element) => element ? [...chain(element.parentElement), element] : [];
  const opacity = (element) => chain(element).reduce((all, each) => all * Number(style(each).opacity), 1);
  const isSeen = (element) => {
    const box = element.getBoundingClientRect();
    return element.checkVisibility({ visibilityProperty: true }) && box.width > 1.5 && box.height > 0.5 && opacity(element) > 0
      && !chain(element).some((each) => style(each).clipPath.startsWith("inset(50%") || each.matches("defs, pattern"));
  };
  // What lies below an element: backgrounds of what is around it, and earlier shapes of its chart. A text is on what is
  // at its middle; a shape is seen by its edges, so it is on what holds all of it.
  const below = (element) => {
    const box = element.getBoundingClientRect(), isText = element.tagName !== "rect" && element.textContent.trim();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const places = isText ? [[x, y]] : [[box.left, box.top], [box.right, box.bottom]];
    const holds = (area) => places.every(([x, y]) => area.left <= x && x <= area.right && area.top <= y && y <= area.bottom);
    const layers = chain(element.parentElement).map((each) => ({ color: style(each).backgroundColor, opacity: 1 }));
    const svg = element.closest("svg");
    for (const each of svg && svg !== element ? svg.querySelectorAll("rect, circle") : []) {
      const area = each.getBoundingClientRect();
      const isUnder = each.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
      if (isUnder && isColor(style(each).fill) && holds(area))
        layers.push({ color: style(each).fill, opacity: opacity(each) * Number(style(each).fillOpacity) });
    }
    return layers;
  };
  const against = (element, color) => {
    const layers = below(element);
    return ratio(paint(layers), paint([...layers, { color, opacity: opacity(element) }]));
  };
  const faults = [], named = (element) => `<${element.tagName} class="${element.getAttribute("class") ?? ""}">`;

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("title, desc") || !isSeen(element)) continue;
    const own = style(element), size = parseFloat(own.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(own.fontWeight) >= 700);
    const found = against(element, element.closest("svg") ? own.fill : own.color), needed = isLarge ? 3 : 4.5;
    if (found < needed) faults.push(`${found.toFixed(2)} < ${needed}: text "${node.data.trim().slice(0, 40)}" in ${named(element)}`);
  }
  // Hairlines (s-line) are decoration: nothing is read off them.
  for (const shape of document.querySelectorAll("svg :is(rect, circle, ellipse, line, path, polyline, polygon):not(.s-line)")) {
    const own = style(shape);
    const colors = [own.fill, own.strokeWidth === "0px" ? "none" : own.stroke].filter(isColor);
    if (!shape.checkVisibility({ visibilityProperty: true }) || shape.closest("defs") || !colors.length || own.fill.startsWith("url(")) continue;
    const found = Math.max(...colors.map((color) => against(shape, color)));
    if (found < 3) faults.push(`${found.toFixed(2)} < 3: shape ${named(shape)} ${colors}`);
  }
  for (const cell of document.querySelectorAll("body *:empty:not(svg *)")) {
    const color = style(cell).backgroundColor;
    if (!isSeen(cell) || /^rgba.*, 0\)$/.test(color)) continue;
    const found = against(cell, color);
    if (found < 3) faults.push(`${found.toFixed(2)} < 3: cell ${named(cell)} ${color}`);
  }
  return [...new Set(faults)];
}

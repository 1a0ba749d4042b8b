// Returns what does not fit, each as a sentence: the page into the window, texts into charts, and texts beside each other.
() => {
  const root = document.scrollingElement, faults = [];
  const shown = (element) => `"${element.textContent.trim().replace(/\s+/g, " ").slice(0, 40)}"`;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((each) =>
      each.getBoundingClientRect().right > root.clientWidth + 1 && !each.parentElement.closest(".scroll, pre"));
    faults.push(`the page is ${root.scrollWidth} px wide, at a window of ${root.clientWidth} px: ` +
      wide.slice(0, 3).map((each) => `<${each.tagName} class="${each.getAttribute("class") ?? ""}"> ${shown(each)}`).join(", "));
  }
  const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
  const isHidden = (element) => element.closest(".vh") || getComputedStyle(element).clipPath.startsWith("inset(50%");
  for (const each of document.querySelectorAll("body *:not(svg, svg *)")) {
    const own = getComputedStyle(each);
    if (["hidden", "clip"].includes(own.overflowX) && each.scrollWidth > each.clientWidth + 1 && !isHidden(each))
      faults.push(`text is cut off: ${shown(each)}`);
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = new Range();
  for (let node; (node = walker.nextNode());) {
    range.selectNodeContents(node);
    if (/^\s*[$]?[\d,.]+[%+]?\s*$/.test(node.data) && node.parentElement.checkVisibility() && !isHidden(node.parentElement)
      && new Set([...range.getClientRects()].filter((each) => each.width > 1).map((each) => each.top)).size > 1)
      faults.push(`the number ${node.data.trim()} is broken into two lines`);
  }
  for (const svg of document.querySelectorAll("svg")) {
    const area = svg.getBoundingClientRect(), isOpen = getComputedStyle(svg).overflow === "visible";
    let around = svg.parentElement;
    while (around && !scrolls(around)) around = around.parentElement;
    const [left, right] = isOpen ? [0, around ? Infinity : root.clientWidth] : [area.left, area.right];
    const texts = [...svg.querySelectorAll("text")].filter((each) => each.checkVisibility() && each.textContent.trim());
    const boxes = texts.map((each) => each.getBoundingClientRect());
    texts.forEach((text, at) => {
      if (boxes[at].left < left - 1 || boxes[at].right > right + 1) faults.push(`the chart cuts off ${shown(text)}`);
      for (let other = 0; other < at; other++) {
        const [one, two] = [boxes[at], boxes[other]];
        const across = Math.min(one.right, two.right) - Math.max(one.left, two.left);
        const down = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
        if (across > 1 && down > 4) faults.push(`${shown(texts[other])} and ${shown(text)} lie over each other`);
      }
    });
  }
  return [...new Set(faults)];
}

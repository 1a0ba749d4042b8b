// Returns the texts of each block that must not be broken on paper, without those of many lines: on paper they are between
// the lines of other columns. One that is higher than a page cannot be kept whole.
() => [...document.querySelectorAll("body *:not(svg *)")]
  .filter((each) => getComputedStyle(each).breakInside.startsWith("avoid") && each.offsetHeight < 800)
  .map((each) => {
    const walker = document.createTreeWalker(each, NodeFilter.SHOW_TEXT), texts = [], range = new Range();
    for (let node; (node = walker.nextNode());) {
      range.selectNodeContents(node);
      if (node.parentElement.checkVisibility() && !node.parentElement.closest(".vh, svg, details:not([open])")
        && range.getClientRects().length <= 2)
        texts.push(node.data);
    }
    return texts;
  })

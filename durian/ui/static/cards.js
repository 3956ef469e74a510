/* Cards: a row or grid of buttons with pictures, for examples, items and motions. */
(() => {
  /* Value: {cards: [{id, title, text, image, removable, warning: {level, text}}], chosen, add, note}. */
  window.durianCards = (element, trigger, props, watch) => {
    const root = element.querySelector(".cards");
    const said = element.querySelector(".cards-note");
    const render = () => {
      const { cards = [], chosen, add, note } = props.value || {};
      said.textContent = note || ""; said.hidden = !note;
      root.replaceChildren(...cards.map((card) => {
        const shell = document.createElement("div");
        shell.className = "card";
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.id = card.id;
        button.setAttribute("aria-pressed", String(card.id === chosen));
        if (card.image) {
          const picture = document.createElement("img");
          picture.src = card.image; picture.alt = ""; picture.draggable = false;
          button.append(picture);
        } else if (card.image === null) {
          const blank = document.createElement("span");
          blank.className = "card-blank"; button.append(blank);
        }
        const title = document.createElement("span");
        title.className = "card-title"; title.textContent = card.title;
        button.append(title);
        if (card.text) button.title = card.text;
        if (card.warning) {
          const sign = document.createElement("span");
          sign.className = `card-sign ${card.warning.level}`; sign.textContent = "!"; sign.title = card.warning.text;
          sign.setAttribute("role", "img"); sign.setAttribute("aria-label", card.warning.text);
          button.append(sign);
        }
        button.addEventListener("click", () => trigger("edit", { kind: "pick", id: card.id }));
        shell.append(button);
        if (card.removable) {
          const remove = document.createElement("button");
          remove.type = "button"; remove.className = "card-remove"; remove.textContent = "×";
          remove.setAttribute("aria-label", `Remove ${card.title}`);
          remove.addEventListener("click", () => trigger("edit", { kind: "remove", id: card.id }));
          shell.append(remove);
        }
        return shell;
      }));
      if (add) {
        const more = document.createElement("button");
        more.type = "button"; more.className = "card-add"; more.textContent = add;
        more.addEventListener("click", () => trigger("edit", { kind: "add" }));
        root.append(more);
      }
    };
    render();
    watch("value", render);
  };
})();

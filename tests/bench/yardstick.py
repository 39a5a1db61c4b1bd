"""The usual alternative: python-telegram-bot's ConversationHandler with a pickle file.

Written as its own examples are, for the survey in ``survey.toml``: consent, five questions,
thanks. Everything is at the library's defaults.

    python -m tests.bench.yardstick TOKEN API_BASE_URL PICKLE
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ContextTypes,
    ConversationHandler,
    MessageHandler,
    PicklePersistence,
    filters,
)

SURVEY: dict[str, Any] = tomllib.loads(Path(__file__).with_name("survey.toml").read_text())
QUESTIONS: list[dict[str, Any]] = SURVEY["question"]
CONSENT = len(QUESTIONS)


def keyboard(labels: list[str]) -> InlineKeyboardMarkup:
    rows = [[InlineKeyboardButton(label, callback_data=label)] for label in labels]
    return InlineKeyboardMarkup(rows)


async def ask(update: Update, number: int) -> int:
    """Put a question; after the last one, say thanks and end."""
    message = update.effective_message
    assert message is not None
    if number == len(QUESTIONS):
        await message.reply_text(SURVEY["thanks"])
        return ConversationHandler.END
    question = QUESTIONS[number]
    labels = {"scale": question.get("labels"), "yesno": ["Yes", "No"]}.get(question["kind"])
    await message.reply_text(
        f"{number + 1} of {len(QUESTIONS)}\n{question['text']}",
        reply_markup=keyboard([*labels, "Skip"]) if labels else None,
    )
    return number


async def start(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    assert update.message is not None
    await update.message.reply_text(
        f"{SURVEY['title']}\n\n{SURVEY['consent']['text']}",
        reply_markup=keyboard(["I agree", "No thanks"]),
    )
    return CONSENT


async def consent(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
    query = update.callback_query
    assert query is not None
    await query.answer()
    if query.data != "I agree":
        return ConversationHandler.END
    return await ask(update, 0)


def pressed(number: int) -> Any:
    async def press(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
        query = update.callback_query
        assert query is not None
        assert context.user_data is not None
        await query.answer()
        context.user_data[QUESTIONS[number]["id"]] = query.data
        return await ask(update, number + 1)

    return press


def typed(number: int) -> Any:
    async def reply(update: Update, context: ContextTypes.DEFAULT_TYPE) -> int:
        assert update.message is not None
        assert context.user_data is not None
        context.user_data[QUESTIONS[number]["id"]] = update.message.text
        return await ask(update, number + 1)

    return reply


def state(number: int) -> list[Any]:
    if QUESTIONS[number]["kind"] == "text":
        return [MessageHandler(filters.TEXT & ~filters.COMMAND, typed(number))]
    return [CallbackQueryHandler(pressed(number))]


def main() -> None:
    token, api_base_url, pickle = sys.argv[1:]
    conversation = ConversationHandler(
        entry_points=[CommandHandler("start", start)],
        states={
            CONSENT: [CallbackQueryHandler(consent)],
            **{number: state(number) for number in range(len(QUESTIONS))},
        },
        fallbacks=[CommandHandler("start", start)],
        name="survey",
        persistent=True,
    )
    application = (
        Application.builder()
        .token(token)
        .base_url(f"{api_base_url}/bot")
        .persistence(PicklePersistence(pickle))
        .build()
    )
    application.add_handler(conversation)
    application.run_polling()


if __name__ == "__main__":
    main()

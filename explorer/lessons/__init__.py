"""Lessons that drive the page: data files, what they may say, and their check. Never imports dash."""

from explorer.lessons.lesson import CONTROLS as CONTROLS
from explorer.lessons.lesson import Choice as Choice
from explorer.lessons.lesson import Lesson as Lesson
from explorer.lessons.lesson import Mark as Mark
from explorer.lessons.lesson import Step as Step
from explorer.lessons.predicates import PREDICATES as PREDICATES
from explorer.lessons.reading import TEXTS as TEXTS
from explorer.lessons.reading import LessonError as LessonError
from explorer.lessons.reading import page_data as page_data
from explorer.lessons.reading import problems as problems
from explorer.lessons.reading import read_lesson as read_lesson
from explorer.lessons.reading import read_lessons as read_lessons
